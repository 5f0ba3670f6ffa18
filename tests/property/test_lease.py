"""No lower epoch is ever obeyed while the fence stands, and an expired lease never yields a command."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.lease import AHEAD_TOLERATED, Lease
from shared.messages import Following, MinerCommand
from tests.unit.shared.commands import T0, command

GRACE = timedelta(seconds=120)
LEASE = timedelta(seconds=60)

_seconds = st.integers(0, 300)
_offers = st.tuples(
    _seconds,  # since the one before
    st.integers(0, 5),  # epoch
    st.integers(-400, 60),  # the engine's clock against ours
    st.integers(-10, 400),  # length of the lease
    st.booleans(),  # from the broker's memory
)


def offered(epoch: int, at: datetime, length: float) -> MinerCommand:
    return command(at=at, lease=length, epoch=epoch)


@given(st.lists(_offers, max_size=30))
def test_no_lower_epoch_is_obeyed_while_the_fence_stands(offers: list[tuple[float, int, float, float, bool]]) -> None:
    lease: Lease[MinerCommand] = Lease(T0, GRACE)
    now, fence, fenced_until = T0, -1, T0
    for wait, epoch, skew, length, retained in offers:
        now += timedelta(seconds=wait)
        taken = lease.offer(offered(epoch, now + timedelta(seconds=skew), length), now, retained=retained) is None
        assert not (taken and epoch < fence and now < fenced_until)
        if taken:
            fence, fenced_until = epoch, now + timedelta(seconds=length) + GRACE
        _, followed = lease.follow(now, emergency=False)
        assert followed is None or followed.epoch >= fence or now >= fenced_until


@given(st.lists(_offers, min_size=1, max_size=30), _seconds)
def test_an_expired_lease_never_yields_a_command(
    offers: list[tuple[float, int, float, float, bool]], pause: float
) -> None:
    lease: Lease[MinerCommand] = Lease(T0, GRACE)
    now, ends = T0, T0
    for wait, epoch, skew, length, retained in offers:
        now += timedelta(seconds=wait)
        made_at = now + timedelta(seconds=skew)
        if lease.offer(offered(epoch, made_at, length), now, retained=retained) is None:
            # By our clock: from receipt, or for a memory from when it was written.
            ends = (min(made_at, now) if retained else now) + timedelta(seconds=length)
            assert made_at <= now + AHEAD_TOLERATED
    now += timedelta(seconds=pause)
    following, followed = lease.follow(now, emergency=False)
    if now >= ends:
        assert following is not Following.COMMAND
    if now >= ends + GRACE:
        assert followed is None
    assert lease.follow(now, emergency=True) == (Following.EMERGENCY_STOP, None)


@given(st.integers(0, 9), st.integers(0, 9), _seconds)
def test_a_fence_is_as_good_as_a_command_for_refusing(fence: int, epoch: int, later: float) -> None:
    lease: Lease[MinerCommand] = Lease(T0, GRACE)
    lease.raise_fence(fence, T0, LEASE)
    now = T0 + timedelta(seconds=later)
    taken = lease.offer(offered(epoch, now, 60), now, retained=False) is None
    assert taken == (epoch >= fence or now >= T0 + LEASE + GRACE)
