"""`sunherd watch`: each thing once, who wanted it, and nothing that had happened before."""

from datetime import UTC, timedelta
from typing import Any

from deploy.console.view.happening import Happening, Kind, line_of
from deploy.console.view.happenings import Happenings, Tally
from deploy.console.view.silences import Silences
from shared.bus import Received
from shared.messages import (
    PAUSE,
    Choice,
    EmergencyStop,
    Event,
    Message,
    MinerState,
    Override,
    OverrideKind,
    Presence,
    Request,
    RequestKind,
    Severity,
    UnknownReason,
)
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_EVENT,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_REQUEST,
    MINER_TELEMETRY,
    PLUG_EVENT,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)
from tests.unit.deploy.console_scene import AGENT, NOON, Scene, battery, command, facts, reading

FARM = facts("bitaxe-1")


class Watch:
    def __init__(self) -> None:
        self.happenings = Happenings(FARM)

    def hear(self, topic: Topic[Any], who: str, message: Message | None) -> list[str]:
        return [line_of(each, UTC) for each in self.all(topic, who, message)]

    def all(self, topic: Topic[Any], who: str, message: Message | None) -> list[Happening]:
        return list(self.happenings.take(topic, Received(who, message, False, NOON), 1.0))

    def remember(self, topic: Topic[Any], who: str, message: Message) -> None:
        self.happenings.remember(topic, Received(who, message, True, NOON))


def test_a_decision_is_told_once_and_its_outcome_when_it_is_read_back() -> None:
    watch = Watch()
    watch.remember(MINER_COMMAND, "bitaxe-1", command())
    watch.remember(MINER_TELEMETRY, "bitaxe-1", reading())
    low = command(point=PAUSE, code="soc_low", sentence="SoC 72.9 % < 73 %")
    assert watch.hear(MINER_COMMAND, "bitaxe-1", low) == ["[2025-01-21 14:30:00] [bitaxe-1] SoC 72.9 % < 73 % → pause"]
    renewed = low.model_copy(update={"sentence": "SoC 72.8 % < 73 %", "at": NOON + timedelta(seconds=25)})
    assert watch.hear(MINER_COMMAND, "bitaxe-1", renewed) == []
    assert watch.hear(MINER_TELEMETRY, "bitaxe-1", reading(state=MinerState.PAUSED, desired="pause")) == [
        "[2025-01-21 14:30:00] [bitaxe-1] SoC 72.8 % < 73 % → mining stopped"
    ]
    assert watch.hear(MINER_TELEMETRY, "bitaxe-1", reading(state=MinerState.PAUSED, desired="pause")) == []


def test_what_the_broker_remembered_has_not_happened_now() -> None:
    watch = Watch()
    pause = Override(at=NOON, kind=OverrideKind.PAUSE, by="Ana")
    watch.remember(MINER_OVERRIDE, "bitaxe-1", pause)
    assert watch.hear(MINER_OVERRIDE, "bitaxe-1", pause) == []


def test_who_wanted_what() -> None:
    watch = Watch()
    pause = Override(at=NOON, kind=OverrideKind.PAUSE, by="Ana", until=NOON + timedelta(hours=2), reason="dust")
    assert watch.hear(MINER_OVERRIDE, "bitaxe-1", pause)[0].endswith("[bitaxe-1] paused by Ana until 16:30: dust")
    hold = Override(at=NOON, kind=OverrideKind.LIMIT, by="Bea", max_w=500.0)
    assert watch.hear(MINER_OVERRIDE, "bitaxe-1", hold)[0].endswith("[bitaxe-1] limited to 500 W by Bea")
    assert watch.hear(MINER_OVERRIDE, "bitaxe-1", None)[0].endswith("[bitaxe-1] its override has been cleared")
    request = Request(at=NOON, kind=RequestKind.RESTART, by="Ana")
    assert watch.hear(MINER_REQUEST, "bitaxe-1", request)[0].endswith("Ana asks for a restart of its software")
    wish = Request(at=NOON, kind=RequestKind.CHOOSE, by="Ana", choose={"stop_soc": 70.0, "max_w": None})
    assert watch.hear(MINER_REQUEST, "bitaxe-1", wish)[0].endswith(
        "Ana asks for stop_soc 70 %, max_w as in the farm file"
    )
    first = Choice(at=NOON, stop_soc=70.0, resume_soc=75.0, by="Ana")
    assert watch.hear(MINER_CHOICE, "bitaxe-1", first)[0].endswith("stop_soc 70 %, resume_soc 75 %, chosen by Ana")
    second = Choice(at=NOON, resume_soc=75.0, by="Bea")
    assert watch.hear(MINER_CHOICE, "bitaxe-1", second)[0].endswith("stop_soc as in the farm file, chosen by Bea")
    assert watch.hear(MINER_CHOICE, "bitaxe-1", None)[0].endswith("every choice is taken back: as in the farm file")


def test_an_emergency_stop_and_its_end_name_the_person() -> None:
    watch = Watch()
    stop = EmergencyStop(at=NOON, active=True, by="Ana", reason="smoke")
    assert watch.hear(EMERGENCY_STOP, "home", stop) == [
        "[2025-01-21 14:30:00] [site] ERROR EMERGENCY STOP by Ana: smoke"
    ]
    found = watch.all(EMERGENCY_STOP, "home", EmergencyStop(at=NOON, active=False, by="Bea", lifts=NOON))
    assert [(each.kind, each.by, each.sentence) for each in found] == [
        (Kind.PERSON, "Bea", "the emergency stop is lifted by Bea")
    ]


def test_events_keep_code_severity_and_whom_they_answer() -> None:
    watch = Watch()
    event = Event(
        at=NOON, code="request_refused", severity=Severity.WARNING, sentence="it has no plug", numbers={"by": "Ana"}
    )
    found = watch.all(MINER_EVENT, "bitaxe-1", event)
    assert [(each.code, each.severity, each.by) for each in found] == [("request_refused", Severity.WARNING, "Ana")]
    assert watch.hear(PLUG_EVENT, "bitaxe-1", event)[0].endswith("[plug of bitaxe-1] WARNING it has no plug")
    assert watch.hear(GROUP_EVENT, "shelf", event)[0].endswith("[shelf] WARNING it has no plug")


def test_a_battery_that_becomes_unknown_is_a_warning() -> None:
    watch = Watch()
    watch.remember(SITE_TELEMETRY, "home", battery())
    lost = battery(state_of_charge_percent=None, unknown=UnknownReason.UNREACHABLE, detail="no answer")
    assert watch.hear(SITE_TELEMETRY, "home", lost)[0].endswith("[battery] WARNING SoC unknown: no answer")


def test_services_come_and_go_and_heartbeats_are_no_news() -> None:
    watch = Watch()
    on = Presence(at=NOON, service="bitaxe_agent", instance=AGENT, status="online")
    assert watch.hear(SERVICE_PRESENCE, AGENT, on)[0].endswith(f"[{AGENT}] is there")
    assert watch.hear(SERVICE_PRESENCE, AGENT, on) == []
    lost = on.model_copy(update={"status": "offline"})
    assert watch.hear(SERVICE_PRESENCE, AGENT, lost)[0].endswith("WARNING is gone without a farewell")
    watch.hear(SERVICE_PRESENCE, AGENT, on)
    left = lost.model_copy(update={"farewell": True})
    assert watch.hear(SERVICE_PRESENCE, AGENT, left)[0].endswith(f"[{AGENT}] has ended")


def test_silence_is_told_once_and_so_is_its_end() -> None:
    silences, scene = Silences(), Scene(FARM).beat(AGENT)

    def look() -> list[str]:
        return [each.sentence for each in silences.look(scene.picture())]

    assert look() == []
    scene.later(16)
    assert look() == ["is silent: not heard within three beats"]
    assert look() == []
    scene.beat(AGENT)
    assert look() == ["is heard again"]
    scene.beat(AGENT, status="offline", farewell=True).later(60)
    assert look() == []


def test_nobody_is_called_silent_for_an_outage_of_the_broker() -> None:
    silences, scene = Silences(), Scene(FARM).beat(AGENT)
    list(silences.look(scene.picture()))
    scene.later(60)
    away = scene.hearing.picture(scene.now, scene.seconds, is_connected=False)
    assert list(silences.look(away)) == []
    scene.hearing.doubt(scene.seconds)
    assert list(silences.look(scene.picture())) == []


def test_the_summary_counts_by_kind() -> None:
    tally = Tally()
    for kind in (Kind.EVENT, Kind.EVENT, Kind.PERSON):
        tally.count(Happening(at=NOON, name="a", kind=kind, sentence="s"))
    assert tally.summary("5 min") == "In 5 min: 0 decisions, 0 changes, 2 events, 1 wish of people"
