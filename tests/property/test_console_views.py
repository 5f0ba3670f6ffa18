"""Whatever is told, the console shows it without failing; and what is unknown is never added up."""

import json
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from deploy.console.view.explanation import explanation_of
from deploy.console.view.explanation_text import explanation_text
from deploy.console.view.happening import line_of
from deploy.console.view.happenings import Happenings
from deploy.console.view.look import farm_seen
from deploy.console.view.seen import MinerSeen, Status
from deploy.console.view.table import Look, table
from deploy.console.view.totals import total_line, total_of
from shared.bus import Received
from shared.messages import (
    Care,
    Choice,
    EmergencyStop,
    Event,
    Ladder,
    Limit,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    Override,
    OverrideKind,
    PoolReading,
    Presence,
    Request,
    SiteTelemetry,
)
from shared.topics import (
    EMERGENCY_STOP,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_REQUEST,
    MINER_TELEMETRY,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)
from tests.unit.deploy.console_scene import AGENT, NOON, Scene, facts

FARM = facts("a", "b", groups={"both": ("a", "b")})
MOMENTS = st.datetimes(timezones=st.just(UTC))
FIGURES = st.none() | st.floats(min_value=0, allow_nan=False, allow_infinity=False)
DEGREES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
WATTS = st.none() | st.floats(min_value=0, max_value=1_000_000)
TEXTS = st.text(max_size=30)
POINTS = st.builds(
    OperatingPoint,
    name=TEXTS,
    power_w=st.floats(0, 1_000_000),
    preset=st.none() | TEXTS,
    throttle_percent=st.none() | st.integers(),
    voltage_mv=st.none() | st.integers(),
    frequency_mhz=DEGREES,
)
LADDERS = st.builds(Ladder, points=st.lists(POINTS, max_size=3).map(tuple), normal=TEXTS, safe=st.none())
LIMITS = st.builds(
    Limit,
    policy=st.sampled_from(["override", "stagger"]),
    ceiling_w=WATTS,
    point=st.none() | POINTS,
    code=st.just("c"),
    numbers=st.just({}),
    since=MOMENTS,
)

TELEMETRY = st.builds(
    MinerTelemetry,
    detail=TEXTS,
    point=st.none() | TEXTS,
    ladder=st.none() | LADDERS,
    voltage_mv=st.none() | st.integers(),
    frequency_mhz=DEGREES,
    shares_accepted=st.none(),
    share_difficulty=st.none(),
    uptime_seconds=FIGURES,
    epoch=st.none(),
    at=MOMENTS | st.just(NOON),
    driver=TEXTS,
    hashrate_ths=FIGURES,
    power_w=WATTS,
    chip_temperature_celsius=DEGREES,
    regulator_temperature_celsius=DEGREES,
    by=st.none() | st.just(AGENT) | st.just("stranger"),
    outside_pause_since=st.none(),
    protected_since=st.none(),
    stopped_at=st.none(),
    last_restart_at=st.none(),
    problem=st.none() | st.just("busy"),
)
COMMANDS = st.builds(
    MinerCommand,
    at=MOMENTS,
    engine=st.just("policy_engine-pi"),
    epoch=st.integers(min_value=0),
    point=POINTS,
    ceiling_w=WATTS,
    expires_at=MOMENTS,
    since=MOMENTS,
    code=st.just("code"),
    limits=st.lists(LIMITS, max_size=3).map(tuple),
    starts=st.just(()),
    suspended_until=st.none() | MOMENTS,
    paused_since=st.none() | MOMENTS,
    outside_pause_over=st.none(),
    hashing_since=st.none(),
    restart_at=st.none(),
    answers=st.none(),
    care=st.none()
    | st.builds(
        Care,
        code=st.sampled_from(["settling", "unstable", "pool_disagrees"]),
        numbers=st.sampled_from([{}, {"tries_in_vain": 1}]),
        since=MOMENTS,
        cycle_at=st.none(),
        tries=st.just(()),
        returned_at=st.none(),
        unstable_since=st.none() | MOMENTS,
    ),
)
OVERRIDES = st.builds(
    Override,
    at=MOMENTS.filter(lambda moment: moment.year < 9000),
    kind=st.sampled_from([OverrideKind.PAUSE, OverrideKind.MAINTENANCE, OverrideKind.AUTOMATIC]),
    until=st.none() | MOMENTS,
    max_w=st.none(),
)
BATTERIES = st.builds(
    SiteTelemetry,
    at=MOMENTS,
    confirmed_at=st.none() | MOMENTS,
    changed_at=st.none(),
    unknown=st.none(),
    state_of_charge_percent=st.floats(0, 100),
)
POOLS = st.builds(
    PoolReading,
    at=MOMENTS,
    since=MOMENTS,
    last_seen_at=st.none() | MOMENTS,
    confirmed_at=st.none() | MOMENTS,
    offline_after_seconds=st.just(600.0),
    problem=st.none(),
)
WORDS = st.one_of(
    st.tuples(st.just(MINER_TELEMETRY), TELEMETRY),
    st.tuples(st.just(MINER_COMMAND), COMMANDS),
    st.tuples(st.just(MINER_OVERRIDE), OVERRIDES),
    st.tuples(st.just(SITE_TELEMETRY), BATTERIES),
    st.tuples(st.just(MINER_POOL), POOLS),
    st.tuples(st.just(MINER_CHOICE), st.builds(Choice, at=MOMENTS, max_w=WATTS)),
    st.tuples(st.just(MINER_EVENT), st.builds(Event, at=MOMENTS, code=st.just("c"), numbers=st.just({}))),
    st.tuples(st.just(MINER_REQUEST), st.builds(Request, at=MOMENTS, choose=st.just({"max_w": 5.0}))),
    st.tuples(st.just(EMERGENCY_STOP), st.builds(EmergencyStop, at=MOMENTS, lifts=st.none())),
    st.tuples(
        st.just(SERVICE_PRESENCE),
        st.builds(
            Presence,
            at=MOMENTS,
            service=st.just("bitaxe_agent"),
            instance=st.just(AGENT),
            started_at=st.none(),
            beat_seconds=st.just(5.0),
            holds=st.just({}),
            counts=st.just({}),
        ),
    ),
)
HEARD = st.lists(st.tuples(WORDS, st.booleans(), st.booleans()), max_size=6)


def who(topic: Topic[Any]) -> str:
    return {"site": "home", "service": AGENT}.get(topic.noun, "a")


@given(HEARD, st.none() | st.integers(1, 200), st.floats(0, 1e6))
def test_no_page_ever_fails(heard: list[Any], width: int | None, later: float) -> None:
    scene = Scene(FARM)
    for (topic, message), retained, cleared in heard:
        scene.hear(topic, who(topic), None if cleared else message, retained=retained)
    picture = scene.later(later).picture()
    farm = farm_seen(picture)
    zone = ZoneInfo("Pacific/Kiritimati")
    page = [line.plain for line in table(farm, Look(zone, width))]
    told = explanation_of(picture, "a")
    page += [line.plain for line in explanation_text(told, zone, width)]
    assert all(line.isprintable() for line in page)
    json.loads(farm.model_dump_json()), json.loads(told.model_dump_json())


@given(HEARD)
def test_no_word_stops_the_watch(heard: list[Any]) -> None:
    happenings = Happenings(FARM)
    for (topic, message), retained, cleared in heard:
        received: Received[Message] = Received(who(topic), None if cleared else message, retained, NOON)
        for happening in happenings.take(topic, received, None if retained else 1.0):
            assert line_of(happening, UTC).isprintable()


SEEN = st.builds(
    MinerSeen,
    name=st.just("a"),
    status=st.sampled_from(Status),
    online=st.none() | st.booleans(),
    state=st.sampled_from(MinerState),
    hashrate_ths=st.none() | st.floats(0, 1e6),
    power_w=WATTS,
    read_at=st.none(),
    decided_since=st.none(),
)


@given(st.lists(SEEN, max_size=8))
def test_totals_count_only_what_is_known_and_say_how_much_that_is(miners: list[MinerSeen]) -> None:
    total = total_of(miners)
    known_w = [each.power_w for each in miners if each.online is True and each.power_w is not None]
    assert total.power_known == len(known_w)
    assert total.power_w == (sum(known_w) if known_w else None)
    assert total.hashrate_known <= total.online
    assert (total.hashrate_ths is None) == (total.hashrate_known == 0)
    line = total_line(total)
    assert ("W (from" in line) == (0 < total.power_known < total.online)


@given(st.lists(SEEN, max_size=6), SEEN)
def test_one_more_unknown_miner_changes_no_sum(miners: list[MinerSeen], other: MinerSeen) -> None:
    unknown = other.model_copy(update={"online": None})
    before, after = total_of(miners), total_of([*miners, unknown])
    assert (before.hashrate_ths, before.power_w, before.efficiency_j_per_th) == (
        after.hashrate_ths,
        after.power_w,
        after.efficiency_j_per_th,
    )
    assert after.unknown == before.unknown + 1


@given(TELEMETRY, st.floats(36, 1e6))
def test_an_old_reading_is_no_measurement_of_anything(told: MinerTelemetry, later: float) -> None:
    scene = Scene(FARM).hear(MINER_TELEMETRY, "a", told).later(later).beat(AGENT).beat("stranger")
    seen = farm_seen(scene.picture()).miners[0]
    figures = (seen.hashrate_ths, seen.power_w, seen.chip_temperature_celsius, seen.voltage_mv, seen.online)
    assert figures == (None, None, None, None, None)
    assert seen.needs_a_person
    assert timedelta(seconds=seen.age_seconds or 0) >= timedelta()
