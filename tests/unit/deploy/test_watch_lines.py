"""What the terminal says, and above all what it does not say."""

from datetime import UTC, datetime, timedelta

from deploy.watch_lines import Scene
from shared.messages import (
    PAUSE,
    Event,
    Following,
    Ladder,
    Limit,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    Severity,
    SiteTelemetry,
    UnknownReason,
)

NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
NORMAL = OperatingPoint(name="normal", power_w=3000)


def command(point: OperatingPoint, sentence: str) -> MinerCommand:
    return MinerCommand(
        at=NOON,
        engine="engine",
        epoch=1,
        expires_at=NOON + timedelta(seconds=60),
        point=point,
        code="code",
        sentence=sentence,
        since=NOON,
    )


def reading(state: MinerState, *, settled: bool | None, desired: str = "pause") -> MinerTelemetry:
    return MinerTelemetry(
        at=NOON,
        driver="vnish",
        reachable=True,
        state=state,
        settled=settled,
        desired=desired,
        following=Following.COMMAND,
        ladder=Ladder(points=(PAUSE, NORMAL), normal="normal"),
        power_w=3000.0 if state is MinerState.HASHING else 20.0,
    )


def test_a_change_is_told_once_the_miner_has_done_it_and_not_before() -> None:
    scene = Scene(UTC)
    assert scene.command_heard("s19-20", command(PAUSE, "SoC 72.9 % < 73 %")) == []
    assert scene.telemetry_heard("s19-20", reading(MinerState.HASHING, settled=False), 1.0) == []
    assert scene.telemetry_heard("s19-20", reading(MinerState.PAUSED, settled=True), 1.0) == [
        "12:00 [s19-20] SoC 72.9 % < 73 % → mining stopped"
    ]
    assert scene.telemetry_heard("s19-20", reading(MinerState.PAUSED, settled=True), 1.0) == []


def test_a_ramping_miner_is_not_yet_called_mining() -> None:
    scene = Scene(UTC)
    scene.command_heard("s19-20", command(NORMAL, "SoC 75.1 % > 75 %"))
    assert scene.telemetry_heard("s19-20", reading(MinerState.RAMPING, settled=True, desired="normal"), 1.0) == []
    told = scene.telemetry_heard("s19-20", reading(MinerState.HASHING, settled=True, desired="normal"), 1.0)
    assert told == ["12:00 [s19-20] SoC 75.1 % > 75 % → mining"]


def test_the_status_says_how_many_miners_its_total_covers() -> None:
    scene = Scene(UTC)
    scene.telemetry_heard("a", reading(MinerState.HASHING, settled=True), 1.0)
    gone = MinerTelemetry(at=NOON, driver="vnish", reachable=False, state=MinerState.UNKNOWN)
    scene.telemetry_heard("b", gone, 1.0)
    status = scene.status(NOON, 2.0)
    assert "1 of 2 miners hashing" in status
    assert "3.0 kW (from 1)" in status
    assert "SoC unknown" in status


def test_a_miner_that_has_left_the_farm_counts_no_more() -> None:
    scene = Scene(UTC)
    for name in ("s19-20", "s19-21"):
        scene.command_heard(name, command(NORMAL, "because"))
        scene.telemetry_heard(name, reading(MinerState.HASHING, settled=True, desired="normal"), 1.0)
    assert "2 of 2 miners hashing" in scene.status(NOON, 1.0)
    scene.forget("s19-21")
    assert "1 of 1 miners hashing" in scene.status(NOON, 1.0)
    assert scene.commands.keys() == {"s19-20"}


def test_the_battery_is_told_when_it_becomes_unknown_and_when_it_is_known_again() -> None:
    scene = Scene(UTC)
    lost = SiteTelemetry(at=NOON, source="ha", unknown=UnknownReason.UNAVAILABLE, detail="the sensor says unavailable")
    back = SiteTelemetry(at=NOON, source="ha", state_of_charge_percent=71.5)
    assert scene.site_heard(lost, 1.0) == ["12:00 [battery] SoC unknown: the sensor says unavailable"]
    assert scene.site_heard(lost, 1.0) == []
    assert scene.site_heard(back, 1.0) == ["12:00 [battery] SoC known again: 71.5 %"]
    assert "SoC 71.5 %" in scene.status(NOON, 2.0)


def test_only_events_that_need_an_eye_are_told() -> None:
    scene = Scene(UTC)
    assert scene.event_heard("s19-20", Event(at=NOON, code="reachable", sentence="answers again")) == []
    loud = Event(at=NOON, code="failsafe", severity=Severity.ERROR, sentence="no live command")
    assert scene.event_heard("s19-20", loud) == ["12:00 [s19-20] no live command"]


def test_what_nobody_has_heard_for_long_is_not_shown_as_a_measurement() -> None:
    scene = Scene(UTC, stale_seconds=35)
    scene.site_heard(SiteTelemetry(at=NOON, source="ha", state_of_charge_percent=71.5, pv_w=4000.0), 100.0)
    scene.telemetry_heard("a", reading(MinerState.HASHING, settled=True), 100.0)
    scene.telemetry_heard("b", reading(MinerState.HASHING, settled=True), None)
    assert "SoC 71.5 %" in scene.status(NOON, 110.0)
    assert "1 of 2 miners hashing · 3.0 kW (from 1)" in scene.status(NOON, 110.0)
    assert "SoC unknown" in scene.status(NOON, 140.0)
    assert "0 of 2 miners hashing · 0 W (from 0)" in scene.status(NOON, 140.0)


def bitaxe(megahertz: float, *, settled: bool, desired: str = "night", celsius: float = 60) -> MinerTelemetry:
    return MinerTelemetry(
        at=NOON,
        driver="bitaxe",
        reachable=True,
        state=MinerState.HASHING,
        settled=settled,
        desired=desired,
        following=Following.COMMAND,
        voltage_mv=1150,
        frequency_mhz=megahertz,
        chip_temperature_celsius=celsius,
        power_w=16.0,
    )


def held(code: str, sentence: str) -> MinerCommand:
    limit = Limit(policy="overheat", ceiling_w=14, code=code, sentence=sentence, since=NOON)
    return command(OperatingPoint(name="lower", power_w=14), sentence).model_copy(
        update={"code": code, "limits": (limit,)}
    )


def test_a_ramp_is_told_when_it_begins_and_when_it_has_arrived_and_shown_meanwhile() -> None:
    scene = Scene(UTC)
    scene.telemetry_heard("b", bitaxe(450, settled=True, desired="day"), 1.0)
    scene.command_heard("b", command(OperatingPoint(name="night", power_w=21), "by the window 20:00-07:30"))
    assert scene.telemetry_heard("b", bitaxe(450, settled=False), 2.0) == []
    begun = ["12:00 [b] by the window 20:00-07:30 → ramping from 450 MHz 1150 mV"]
    assert scene.telemetry_heard("b", bitaxe(470, settled=False), 3.0) == begun
    assert scene.telemetry_heard("b", bitaxe(490, settled=False), 4.0) == []
    assert "1 of 1 miners hashing · 16 W · ramping: b 490 MHz 1150 mV" in scene.status(NOON, 4.0)
    arrived = ["12:00 [b] by the window 20:00-07:30 → mining at 550 MHz 1150 mV"]
    assert scene.telemetry_heard("b", bitaxe(550, settled=True), 5.0) == arrived
    assert "ramping" not in scene.status(NOON, 5.0)


def test_who_is_only_watched_does_not_ramp() -> None:
    scene = Scene(UTC)
    scene.command_heard("b", command(OperatingPoint(name="night", power_w=21), "by the window 20:00-07:30"))
    for _ in range(3):
        assert scene.telemetry_heard("b", bitaxe(450, settled=False), 2.0) == []
    assert "ramping" not in scene.status(NOON, 3.0)


def test_a_miner_that_is_too_hot_is_told_once_shown_while_it_is_held_and_told_when_it_is_cool_again() -> None:
    scene = Scene(UTC)
    scene.telemetry_heard("b", bitaxe(450, settled=True, desired="day"), 1.0)
    scene.command_heard("b", held("too_hot", "chip 71 °C, limit 70 °C: at most 14 W"))
    warm = Event(at=NOON, code="warm", severity=Severity.WARNING, sentence="at its limits")
    assert scene.event_heard("b", warm) == []
    hot = Event(at=NOON, code="too_hot", severity=Severity.WARNING, sentence="chip 71 °C, limit 70 °C: at most 14 W")
    assert scene.event_heard("b", hot) == ["12:00 [b] chip 71 °C, limit 70 °C: at most 14 W"]
    assert scene.telemetry_heard("b", bitaxe(430, settled=False, desired="lower", celsius=71), 2.0) == []
    assert "held back by heat: b 71 °C" in scene.status(NOON, 2.0)
    lower = scene.telemetry_heard("b", bitaxe(425, settled=True, desired="lower"), 3.0)
    assert lower == ["12:00 [b] chip 71 °C, limit 70 °C: at most 14 W → mining at 425 MHz 1150 mV"]
    scene.command_heard("b", command(NORMAL, "nothing holds it back"))
    restored = scene.telemetry_heard("b", bitaxe(450, settled=True, desired="day"), 4.0)
    assert restored[-1] == "12:00 [b] cool again; nothing holds it back → mining at 450 MHz 1150 mV"
    assert "heat" not in scene.status(NOON, 4.0)


def test_a_temperature_that_is_not_known_yet_is_no_heat() -> None:
    scene = Scene(UTC)
    scene.command_heard("b", held("not_measured", "its temperature is not known while it does not hash"))
    scene.telemetry_heard("b", bitaxe(400, settled=True, desired="lower"), 1.0)
    assert "heat" not in scene.status(NOON, 1.0)
    scene.command_heard("b", command(NORMAL, "nothing holds it back"))
    told = scene.telemetry_heard("b", bitaxe(450, settled=True, desired="day"), 2.0)
    assert told[-1] == "12:00 [b] nothing holds it back → mining at 450 MHz 1150 mV"
