import signal
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import Event, Presence, SiteTelemetry
from shared.service import BEAT_SECONDS, Service
from shared.topics import MINER_EVENT, SERVICE_PRESENCE, SITE_TELEMETRY
from tests.unit.shared.commands import T0


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def service(broker: MemoryBroker, clock: VirtualClock) -> Service:
    bus = Bus(broker.link(), clock, instance="agent-1")
    return Service("agent", bus, clock, runner=SteppedRunner())


def heard(broker: MemoryBroker, clock: VirtualClock) -> list[Received[Presence]]:
    """What a listener hears of presence from now on."""
    listener, got = Bus(broker.link(), clock, instance="listener"), list[Received[Presence]]()
    listener.subscribe(SERVICE_PRESENCE, got.append)
    listener.start()
    return got


def site(percent: float) -> SiteTelemetry:
    return SiteTelemetry(at=T0, source="test", state_of_charge_percent=percent)


def test_a_handler_sees_the_newest_of_a_state_and_every_event(service: Service) -> None:
    states: list[float | None] = []
    events: list[str] = []
    service.on(SITE_TELEMETRY, lambda got: states.append(got.message.state_of_charge_percent if got.message else None))
    service.on(MINER_EVENT, lambda got: events.append(got.message.sentence if got.message else ""))
    service.start()

    for number in range(3):
        service.publish(SITE_TELEMETRY, "home", site(number))
        service.publish(MINER_EVENT, "s19", Event(at=T0, code="test", sentence=str(number)))
    assert (states, events) == ([], []), "handlers run in the service's own turn"
    service.step()

    assert (states, events) == ([2], ["0", "1", "2"])


def test_a_handler_that_fails_is_counted_and_disturbs_nothing(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def fails(_received: object = None) -> None:
        message = "a bug"
        raise RuntimeError(message)

    service.on(SITE_TELEMETRY, fails)
    service.on(SITE_TELEMETRY, lambda _got: done.append("handler"))
    service.every(10, fails)
    service.every(10, lambda: done.append("timer"))
    service.soon(fails)
    service.start()
    service.publish(SITE_TELEMETRY, "home", site(1))

    service.step()

    assert done == ["handler", "timer"]
    assert service.counts["handler_failed"] == 3
    assert "a handler failed" in caplog.text


def test_timers_run_at_once_and_then_by_their_period(service: Service, clock: VirtualClock) -> None:
    ran: list[float] = []
    start = clock.seconds()
    service.every(2, lambda: ran.append(clock.seconds() - start))
    service.start()
    for _ in range(50):
        clock.advance(service.step() or 0.001)
    assert ran[:4] == pytest.approx([0, 2, 4, 6], abs=0.01)


def test_missed_turns_are_not_made_up_for(service: Service, clock: VirtualClock) -> None:
    ran: list[float] = []
    service.every(2, lambda: ran.append(clock.seconds()))
    service.start()
    service.step()
    clock.advance(100)
    service.step()
    assert len(ran) == 2
    assert service.step() == pytest.approx(2, abs=0.001)


def test_ready_comes_after_the_memory_has_been_handled_and_at_each_reconnection(
    service: Service, broker: MemoryBroker
) -> None:
    broker.retained[SITE_TELEMETRY.path("sunherd", "home")] = site(50).model_dump_json().encode()
    order: list[str] = []
    service.on(SITE_TELEMETRY, lambda got: order.append(f"memory {got.retained}"))
    service.on_ready(lambda: order.append("ready"))
    service.start()
    service.step()
    assert order == ["memory True", "ready"]

    broker.kill()
    broker.revive()
    service.bus.tend()
    service.step()
    assert order == ["memory True", "ready"] * 2


def test_its_heart_beats_while_it_is_connected(service: Service, broker: MemoryBroker, clock: VirtualClock) -> None:
    got = heard(broker, clock)
    service.counts.add("something", 3)
    service.start()
    service.step()
    clock.advance(BEAT_SECONDS)
    service.step()

    assert {received.message.status for received in got if received.message} == {"online"}
    last = got[-1].message
    assert last is not None
    assert (last.service, last.instance, last.beat_seconds) == ("agent", "agent-1", BEAT_SECONDS)
    assert last.counts["something"] == 3
    assert last.started_at == T0

    broker.kill()
    clock.advance(BEAT_SECONDS)
    beats = len(got)
    service.step()
    assert len(got) == beats


def test_stopping_says_offline_after_the_jobs_for_the_end(
    service: Service, broker: MemoryBroker, clock: VirtualClock
) -> None:
    got, order = heard(broker, clock), list[str]()
    service.on_stop(lambda: order.append(f"job, {len(got)} beats"))
    service.start()
    service.stop()
    assert order == ["job, 1 beats"]
    assert got[-1].message is not None
    assert got[-1].message.status == "offline"


def test_a_machine_clock_that_is_set_is_told_once(
    service: Service, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(VirtualClock, "drift_seconds", lambda _self: -7200.0)
    service.start()
    for _ in range(3):
        service.step()
        clock.advance(BEAT_SECONDS)
    assert service.counts["clock_stepped"] == 1
    assert caplog.text.count("set by -7200 s") == 1


def test_a_clock_hours_off_at_another_sender_disturbs_nothing(service: Service) -> None:
    seen: list[datetime] = []
    service.on(SITE_TELEMETRY, lambda got: seen.append(got.received_at))
    service.start()
    service.publish(SITE_TELEMETRY, "home", site(1).model_copy(update={"at": T0 + timedelta(hours=9)}))
    service.step()
    assert seen == [service.clock.now()]


def test_a_loop_that_blocks_gets_a_thread_of_its_own(service: Service) -> None:
    class Loop:
        closed = False

        def step(self) -> float:
            return 1.0

        def close(self) -> None:
            self.closed = True

    loop = Loop()
    service.start()
    service.spawn("device", loop).wake()
    service.stop()
    assert loop.closed


def test_it_runs_until_it_is_asked_to_stop(
    service: Service, broker: MemoryBroker, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, Callable[[int, None], None]] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    got = heard(broker, clock)
    service.soon(lambda: handlers[signal.SIGTERM](signal.SIGTERM, None))

    service.run()

    assert set(handlers) == {signal.SIGTERM, signal.SIGINT}
    assert got[-1].message is not None
    assert got[-1].message.status == "offline"
