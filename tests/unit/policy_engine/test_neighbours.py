"""Whether other miners' shares are accepted: asked only where it matters, and once for all who ask at one moment."""

from collections.abc import ItemsView, Mapping
from dataclasses import replace
from datetime import timedelta

from services.policy_engine.rules import MinerId, MinerRules, Rules
from services.policy_engine.state import Farm, empty_farm
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.finding import Finding, judge
from services.policy_engine.watchdog.shares import SharesSeen
from services.policy_engine.watchdog.witnesses import hear_all
from shared.messages import Following, MinerState, MinerTelemetry
from tests.engine_core import START

NAMES = [f"m{index}" for index in range(50)]
RULES = Rules(dict.fromkeys(NAMES, MinerRules()))
LONG_AGO, JUST_NOW = START - timedelta(hours=5), START - timedelta(seconds=20)
TOLD = MinerTelemetry(
    at=START, driver="vnish", reachable=True, following=Following.COMMAND, state=MinerState.HASHING, shares_accepted=7
)


class Counted(dict[MinerId, MinerView]):
    """How often somebody has looked through all of it."""

    def __init__(self, views: Mapping[MinerId, MinerView]) -> None:
        super().__init__(views)
        self.looks = 0

    def items(self) -> ItemsView[MinerId, MinerView]:  # type: ignore[override] # dict has a type of its own for it
        self.looks += 1
        return super().items()


def farm_of(*finders: str) -> tuple[Farm, Counted]:
    """All hash by their own word; only these find shares."""
    views = Counted(
        {
            name: MinerView(
                telemetry=TOLD, heard_at=START, shares=SharesSeen(7, JUST_NOW if name in finders else LONG_AGO)
            )
            for name in NAMES
        }
    )
    return replace(empty_farm(NAMES, (), START), miners=views), views


def findings(farm: Farm) -> dict[str, Finding]:
    return {name: judge(hear_all(farm, name, RULES, START), has_worker=False).finding for name in NAMES}


def test_who_finds_none_has_failed_where_another_finds_some() -> None:
    found = findings(farm_of("m3")[0])
    assert found.pop("m3") is Finding.AT_WORK
    assert set(found.values()) == {Finding.FAILED}


def test_where_nobody_finds_any_it_may_be_the_way_to_the_pools() -> None:
    assert set(findings(farm_of()[0]).values()) == {Finding.DOUBTFUL}


def test_another_farm_is_looked_at_anew() -> None:
    before, after = farm_of(), farm_of("m3")
    assert findings(before[0])["m0"] is Finding.DOUBTFUL
    assert findings(after[0])["m0"] is Finding.FAILED
    assert hear_all(after[0], "m0", RULES, START + timedelta(hours=1)).neighbours is False


def test_a_thousand_that_ask_cost_one_look() -> None:
    farm, views = farm_of()
    findings(farm)
    assert views.looks == 1


def test_where_all_is_well_nobody_asks() -> None:
    farm, views = farm_of(*NAMES)
    assert set(findings(farm).values()) == {Finding.AT_WORK}
    assert views.looks == 0
