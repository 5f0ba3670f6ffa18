"""What is read rarely is not read by all miners at once."""

from services.simulator.vnish import VnishStandIn
from services.vnish_agent.book import REFRESH_SECONDS
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from shared.clock import VirtualClock
from shared.settings import Address
from tests.farm import session_to

POLL_SECONDS = 10
MINERS = 40


def test_miners_that_are_adopted_together_are_not_read_through_together_again(clock: VirtualClock) -> None:
    stand_ins = {f"10.0.0.{number}": VnishStandIn(clock=clock) for number in range(MINERS)}
    session = session_to({f"{host}:80": one.handle for host, one in stand_ins.items()}, clock)
    drivers = [VnishDriver(VnishClient(Address(host), "admin", clock, session), clock) for host in stand_ins]
    read_through = []
    for _ in range(2 * int(REFRESH_SECONDS) // POLL_SECONDS):
        for driver in drivers:
            driver.read()
        read_through.append(sum(_took_presets(one) for one in stand_ins.values()))
        clock.advance(POLL_SECONDS)
    assert read_through[0] == MINERS, "at the beginning all are"
    assert max(read_through[1:]) <= MINERS / 4
    assert sum(read_through[1 : int(REFRESH_SECONDS) // POLL_SECONDS + 1]) == MINERS, "each once in the time"


def _took_presets(stand_in: VnishStandIn) -> bool:
    paths = [heard.path for heard in stand_in.heard]
    stand_in.heard.clear()
    return "/autotune/presets" in paths
