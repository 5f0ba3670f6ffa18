"""What the terminal says of rigs that hang, and of those that are left alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.watch_lines import Scene
from shared.messages import (
    PAUSE,
    Care,
    Event,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    PlugTelemetry,
    PoolReading,
    PoolVerdict,
    Severity,
)

NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
NORMAL = OperatingPoint(name="on", power_w=500)


def command(point: OperatingPoint = NORMAL, care: Care | None = None) -> MinerCommand:
    return MinerCommand(
        at=NOON,
        engine="engine",
        epoch=1,
        expires_at=NOON + timedelta(seconds=60),
        point=point,
        code="code",
        sentence="SoC 72.9 % < 73 %",
        since=NOON,
        care=care,
    )


def pool(verdict: PoolVerdict) -> PoolReading:
    return PoolReading(at=NOON, pool="ocean", worker="w", verdict=verdict, since=NOON, offline_after_seconds=600)


def plug(**told: Any) -> PlugTelemetry:
    return PlugTelemetry(at=NOON, reachable=True, **told)


def at_work(scene: Scene, miner: str) -> None:
    telemetry = MinerTelemetry(at=NOON, driver="plug", reachable=True, state=MinerState.HASHING)
    scene.telemetry_heard(miner, telemetry, 1.0)


def test_a_pool_that_misses_a_miner_is_told_only_while_it_is_paused_and_once() -> None:
    scene = Scene(UTC)
    scene.command_heard("a", command(PAUSE))
    scene.command_heard("b", command())
    assert scene.pool_heard("a", pool(PoolVerdict.ONLINE)) == []
    assert scene.pool_heard("b", pool(PoolVerdict.ONLINE)) == []
    assert scene.pool_heard("b", pool(PoolVerdict.OFFLINE)) == []
    told = ["12:00 [a] ocean sees it no more; it is paused, so it is left alone"]
    assert scene.pool_heard("a", pool(PoolVerdict.OFFLINE)) == told
    assert scene.pool_heard("a", pool(PoolVerdict.OFFLINE)) == []


def test_a_pool_that_was_never_heard_to_see_it_has_not_lost_it() -> None:
    scene = Scene(UTC)
    scene.command_heard("a", command(PAUSE))
    for verdict in (PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN, PoolVerdict.OFFLINE):
        assert scene.pool_heard("a", pool(verdict)) == []


def test_a_power_cycle_is_told_as_it_is_read_and_no_other_switching() -> None:
    scene = Scene(UTC)
    assert scene.plug_heard("a", plug(on=True)) == []
    assert scene.plug_heard("a", plug(on=False)) == []
    assert scene.plug_heard("a", plug(on=True, cycle_off_since=NOON)) == []
    assert scene.plug_heard("a", plug(on=None, cycle_off_since=NOON)) == []
    assert scene.plug_heard("a", plug(on=False, cycle_off_since=NOON)) == ["12:00 [a] power cycle: its outlet is off"]
    assert scene.plug_heard("a", plug(on=False, cycle_off_since=NOON)) == []
    assert scene.plug_heard("a", plug(on=True)) == ["12:00 [a] power cycle: its outlet is on again"]
    assert scene.plug_heard("a", plug(on=True)) == []


def test_the_status_names_who_hangs_and_does_not_call_it_hashing() -> None:
    scene = Scene(UTC)
    cares = {
        "fine": None,
        "back": Care(code="at_work", sentence="", since=NOON, numbers={"tries_in_vain": 0}, tries=(NOON,)),
        "tried": Care(code="settling", sentence="", since=NOON, numbers={"tries_in_vain": 1}),
        "lost": Care(code="unstable", sentence="", since=NOON, numbers={"tries_in_vain": 3}, unstable_since=NOON),
    }
    for miner, care in cares.items():
        scene.command_heard(miner, command(care=care))
        at_work(scene, miner)
    status = scene.status(NOON, 2.0)
    assert "2 of 4 miners hashing" in status
    assert status.endswith(" · hangs: tried · given up on: lost")


def test_the_return_of_a_rig_is_told_although_nobody_has_to_act() -> None:
    event = Event(at=NOON, code="returned", severity=Severity.INFO, sentence="at work again")
    assert Scene(UTC).event_heard("rig-7", event) == ["12:00 [rig-7] at work again"]
