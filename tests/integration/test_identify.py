"""People ask the simulator's miners to show themselves: each firmware in its own way, over the wire of its agent."""

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import FIRMWARES
from services.simulator.kasa_machine import KasaMachine
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS
from services.vnish_agent.driver import BLINKS_SECONDS
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.messages import Event, Request, RequestKind
from shared.topics import MINER_EVENT, MINER_REQUEST
from tests.bitaxe_farm import BitaxeRig
from tests.farm import NORMAL, AgentRig
from tests.plug_farm import HOST, PlugFarm, rig_on


class Person:
    """Somebody on the farm's broker, and what is answered."""

    def __init__(self, broker: MemoryBroker, clock: VirtualClock) -> None:
        self._clock = clock
        self._bus = Bus(broker.link(), clock, instance="person")
        self.answers: list[Event] = []
        self._bus.subscribe(MINER_EVENT, lambda got: self._told(got.message))
        self._bus.start()

    def looks_for(self, name: str) -> None:
        self._bus.publish(MINER_REQUEST, name, Request(at=self._clock.now(), kind=RequestKind.IDENTIFY, by="Ana"))

    def codes(self) -> list[str]:
        return [answer.code for answer in self.answers]

    def _told(self, event: Event | None) -> None:
        if event is not None and "request" in event.numbers:
            self.answers.append(event)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_vnish_miner_blinks_for_a_minute(generation: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(generation, clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    person = Person(rig.broker, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    person.looks_for("s19")
    rig.run(3)
    assert (stand_in.blinks, stand_in.identified, person.codes()) == (True, 1, ["request_accepted"])
    rig.run(BLINKS_SECONDS / 2)
    person.looks_for("s19")
    seen = []
    for seconds in (BLINKS_SECONDS - 5, 15):
        rig.run(seconds)
        seen.append(stand_in.blinks)
    assert seen == [True, False], "who asks again has it blink for longer, and not for ever"
    assert (stand_in.hashing, rig.last("s19").settled) == (True, True)
    rig.close()


@pytest.mark.parametrize("generation", FIRMWARES)
def test_a_bitaxe_says_hello_where_its_firmware_can(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    person = Person(rig.broker, clock)
    rig.run(30)
    person.looks_for("b1")
    rig.run(5)
    can = stand_in.firmware.number >= (2, 12)
    assert person.codes() == ["request_accepted" if can else "request_refused"]
    assert (stand_in.identifying_until > clock.seconds()) is can
    if not can:
        assert "AxeOS can from 2.12" in person.answers[0].sentence
    rig.close()


def test_a_bitaxe_that_is_saying_hello_already_goes_on_with_it(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    person = Person(rig.broker, clock)
    rig.run(30)
    for _ in range(2):
        person.looks_for("b1")
        rig.run(12)
    assert (stand_in.identified, person.codes()) == (2, ["request_accepted"] * 2)
    assert stand_in.identifying_until > clock.seconds(), "it toggles: a single second request would have ended it"
    rig.close()


def test_a_rig_behind_a_plain_plug_cannot(clock: VirtualClock) -> None:
    farm = PlugFarm({"rig-7": rig_on()}, {HOST: KasaMachine("HS110", clock=clock)}, clock)
    person = Person(farm.broker, clock)
    farm.run(30)
    person.looks_for("rig-7")
    farm.run(5)
    assert person.codes() == ["request_refused"]
    assert "no way to show itself" in person.answers[0].sentence
    farm.close()
