"""The bridge against a stand-in for Home Assistant, over real sockets."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from services.simulator.home_assistant import Fault, HomeAssistantStandIn
from shared.bus import MemoryBroker
from shared.messages import UnknownReason
from tests.integration.bridge_farm import PERCENT, SOC, WATTS, BridgeFarm, battery_of, home_assistant
from tests.waiting import eventually

MakeFarm = Callable[..., BridgeFarm]
LONG_POLL = "60 s"


@pytest.fixture
def stand_in() -> Iterator[HomeAssistantStandIn]:
    served = home_assistant()
    yield served
    served.stop()


@pytest.fixture
def farm(stand_in: HomeAssistantStandIn) -> Iterator[MakeFarm]:
    made: list[BridgeFarm] = []

    def make(*, broker: MemoryBroker | None = None, token: str | None = None, **settings: object) -> BridgeFarm:
        battery = battery_of(stand_in, **settings)
        made.append(BridgeFarm(battery, broker, HA_TOKEN=token or stand_in.token))
        return made[-1]

    yield make
    stand_in.order(None)
    stand_in.stop()  # first: a push that has been cut ends at once, and does not wait for its next message
    for each in made:
        each.stop()


def subscribed(stand_in: HomeAssistantStandIn) -> bool:
    return stand_in.core.subscribed


def test_first_value_comes_without_waiting_for_a_poll(farm: MakeFarm) -> None:
    told = farm(poll=LONG_POLL).until(lambda told: told.state_of_charge_percent == 80)
    assert told.confirmed_at is not None
    assert told.unknown is None


def test_a_pushed_change_arrives_at_once(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(poll=LONG_POLL)
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.set_state(SOC, "70.5")
    told = bridge.until(lambda told: told.state_of_charge_percent == 70.5, seconds=0.5)
    assert told.changed_at == told.confirmed_at


def test_without_push_the_polls_carry_on(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm()
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.NO_PUSH)
    stand_in.set_state(SOC, "60")
    bridge.until(lambda told: told.state_of_charge_percent == 60, seconds=2)
    assert not subscribed(stand_in)


def test_a_lost_push_makes_it_look_at_once_and_not_at_the_next_poll(
    farm: MakeFarm, stand_in: HomeAssistantStandIn
) -> None:
    bridge = farm(poll=LONG_POLL)
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    # Written while nobody is told of it, and then the connection is cut.
    for conversation in stand_in.core.conversations:
        conversation.subscriptions.clear()
    stand_in.set_state(SOC, "60")
    stand_in.order(Fault.NO_PUSH)
    bridge.until(lambda told: told.state_of_charge_percent == 60, seconds=2)


def test_polls_confirm_a_value_that_stands_still(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    stand_in.order(Fault.NO_PUSH)
    bridge = farm(poll="0.1 s", unconfirmed_after="1.5 s")
    first = bridge.until(lambda told: told.state_of_charge_percent == 80)
    assert first.confirmed_at is not None
    later = first.confirmed_at + timedelta(seconds=2)
    bridge.until(lambda told: told.confirmed_at is not None and told.confirmed_at > later, 20)
    told_percents = {told.state_of_charge_percent for told in bridge.ear.telemetry if told.at >= first.at}
    assert told_percents == {80}
    assert bridge.now.changed_at == first.changed_at


def test_pongs_confirm_a_value_that_stands_still(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(poll="0.3 s", unconfirmed_after="1 s")
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    # REST asks for nothing any more: only the pongs of the open push are left.
    stand_in.core.token = "withdrawn"
    bridge.for_seconds(1.6)
    assert bridge.now.state_of_charge_percent == 80
    assert stand_in.logins_refused >= 1


def test_unavailable_is_told_at_once_and_keeps_the_last_confirmation(
    farm: MakeFarm, stand_in: HomeAssistantStandIn
) -> None:
    bridge = farm(poll=LONG_POLL)
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.UNAVAILABLE)
    told = bridge.until(lambda told: told.unknown is not None, seconds=0.5)
    assert told.unknown is UnknownReason.UNAVAILABLE
    assert told.state_of_charge_percent is None
    assert SOC in told.detail
    kept = told.confirmed_at
    bridge.for_seconds(0.3)
    assert bridge.now.confirmed_at == kept
    stand_in.order(None)
    again = bridge.until(lambda told: told.state_of_charge_percent == 80, seconds=0.5)
    assert again.confirmed_at is not None
    assert kept is not None
    assert again.confirmed_at > kept


def test_a_restart_of_home_assistant_is_waited_out_and_heals(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(unconfirmed_after="30 s")
    before = bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.RESTARTING)
    bridge.until(lambda _told: "source_silent" in bridge.codes())
    assert bridge.now.state_of_charge_percent == 80
    assert before.confirmed_at is not None
    silent_since = bridge.now.confirmed_at
    bridge.for_seconds(0.5)
    assert bridge.now.confirmed_at == silent_since
    stand_in.set_state(SOC, "81")
    stand_in.order(None)
    bridge.until(lambda told: told.state_of_charge_percent == 81)
    bridge.until(lambda _told: subscribed(stand_in))
    assert bridge.codes().count("source_silent") == 1
    assert "source_answers" in bridge.codes()


def test_what_comes_back_unavailable_was_not_confirmed_meanwhile(
    farm: MakeFarm, stand_in: HomeAssistantStandIn
) -> None:
    bridge = farm(poll=LONG_POLL)
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.RESTARTING)
    bridge.until(lambda _told: "source_silent" in bridge.codes())
    silent_at = bridge.clock.now()
    stand_in.set_state(SOC, "unavailable")
    stand_in.order(None)
    told = bridge.until(lambda told: told.unknown is UnknownReason.UNAVAILABLE)
    assert told.confirmed_at is not None
    assert told.confirmed_at < silent_at


def test_absent_for_too_long_is_unknown(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(unconfirmed_after="0.6 s")
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.RESTARTING)
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown is UnknownReason.UNREACHABLE
    assert told.confirmed_at is not None
    assert (told.at - told.confirmed_at).total_seconds() > 0.6


def test_never_there_at_all_is_unreachable(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    stand_in.stop()
    told = farm().until(lambda told: told.unknown is UnknownReason.UNREACHABLE)
    assert told.confirmed_at is None
    assert stand_in.url in told.detail


def test_a_frozen_home_assistant_becomes_unknown_and_heals(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(unconfirmed_after="0.7 s")
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(Fault.FROZEN)
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown in {UnknownReason.UNCONFIRMED, UnknownReason.UNREACHABLE}
    stand_in.order(None)
    bridge.until(lambda told: told.state_of_charge_percent == 80)


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.NONSENSE])
def test_answers_that_are_no_states_make_it_unknown_in_time(
    farm: MakeFarm, stand_in: HomeAssistantStandIn, fault: Fault
) -> None:
    bridge = farm(unconfirmed_after="0.6 s")
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.order(fault)
    stand_in.cut()
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown is UnknownReason.UNREACHABLE
    stand_in.order(None)
    bridge.until(lambda told: told.state_of_charge_percent == 80)


def test_a_wrong_token_is_said_once_and_rarely_tried(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(token="wrong", poll="0.1 s")
    told = bridge.until(lambda told: told.unknown is UnknownReason.UNAUTHORIZED)
    assert "HA_TOKEN" in told.detail
    assert "wrong" not in told.detail
    bridge.for_seconds(1.0)
    assert 1 <= stand_in.logins_refused <= 2
    assert bridge.codes().count("source_silent") == 1


def test_a_sensor_that_does_not_exist_is_named(farm: MakeFarm) -> None:
    bridge = farm(state_of_charge="sensor.batery_soc")
    told = bridge.until(lambda told: told.unknown is UnknownReason.NO_SUCH_SENSOR)
    assert "sensor.batery_soc" in told.detail


def test_a_removed_sensor_is_missed_at_once(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    bridge = farm(poll=LONG_POLL)
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    stand_in.remove(SOC)
    bridge.until(lambda told: told.unknown is UnknownReason.NO_SUCH_SENSOR, seconds=0.5)
    stand_in.set_state(SOC, "79", PERCENT)
    bridge.until(lambda told: told.state_of_charge_percent == 79, seconds=0.5)


def test_powers_come_in_one_sign_convention_and_in_watts(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    stand_in.set_state("sensor.battery", "1500", WATTS)
    stand_in.set_state("sensor.grid", "-2.5", {"unit_of_measurement": "kW"})
    stand_in.set_state("sensor.pv", "4000", {})
    stand_in.set_state("binary_sensor.grid", "off", {})
    told = farm(
        battery_power="sensor.battery",
        battery_power_sign="discharging_positive",
        grid_power="sensor.grid",
        grid_power_sign="export_positive",
        pv_power="sensor.pv",
        grid_available="binary_sensor.grid",
    ).until(lambda told: told.grid_available is False and told.battery_w is not None)
    assert told.battery_w == -1500
    assert told.grid_w == 2500
    assert told.pv_w is None, "without a unit nobody knows whether 4000 are watts"
    assert told.load_w is None


def test_an_unknown_power_leaves_the_state_of_charge_alone(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    stand_in.set_state("sensor.pv", "4000", WATTS)
    bridge = farm(pv_power="sensor.pv")
    bridge.until(lambda told: told.pv_w == 4000)
    stand_in.set_state("sensor.pv", "unavailable")
    told = bridge.until(lambda told: told.pv_w is None)
    assert told.state_of_charge_percent == 80


def test_a_base_url_may_have_a_path() -> None:
    stand_in = home_assistant()
    stand_in.stop()
    stand_in.core.path = "/hass"
    stand_in.start()
    bridge = BridgeFarm(battery_of(stand_in, poll=LONG_POLL))
    try:
        bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    finally:
        bridge.stop()
        stand_in.stop()


def test_a_restarted_bridge_knows_how_long_the_value_has_stood(farm: MakeFarm, stand_in: HomeAssistantStandIn) -> None:
    broker = MemoryBroker()
    first = farm(broker=broker)
    before = first.until(lambda told: told.state_of_charge_percent == 80)
    first.stop()
    second = farm(broker=broker, unconfirmed_after="2 s")
    told = second.until(lambda told: told.confirmed_at != before.confirmed_at)
    assert told.changed_at == before.changed_at


def test_a_bridge_restarted_without_home_assistant_keeps_the_age(
    farm: MakeFarm, stand_in: HomeAssistantStandIn
) -> None:
    broker = MemoryBroker()
    first = farm(broker=broker)
    first.until(lambda told: told.state_of_charge_percent == 80)
    first.stop()
    before = first.now
    stand_in.order(Fault.RESTARTING)
    second = farm(broker=broker, unconfirmed_after="1.5 s")
    second.until(lambda _told: "source_silent" in second.codes())
    assert second.now.state_of_charge_percent == 80
    assert second.now.confirmed_at == before.confirmed_at
    told = second.until(lambda told: told.unknown is UnknownReason.UNREACHABLE)
    assert told.confirmed_at == before.confirmed_at


def test_a_standstill_is_warned_of_once_and_stays_fresh(farm: MakeFarm) -> None:
    bridge = farm(poll="0.1 s", max_unchanged="0.3 s", unconfirmed_after="5 s")
    bridge.until(lambda _told: "soc_unchanged" in bridge.codes())
    bridge.for_seconds(0.6)
    assert bridge.codes().count("soc_unchanged") == 1
    assert bridge.now.state_of_charge_percent == 80


def test_it_stops_within_two_seconds(stand_in: HomeAssistantStandIn) -> None:
    bridge = BridgeFarm(battery_of(stand_in, poll=LONG_POLL))
    bridge.until(lambda told: told.state_of_charge_percent == 80 and subscribed(stand_in))
    start = bridge.clock.seconds()
    bridge.stop()
    assert bridge.clock.seconds() - start < 2
    assert eventually(lambda: not subscribed(stand_in))
