"""What `sunherd discover` and `check` stand on: which addresses may be asked, jobs side by side, what is remarked."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from deploy.console.editing.yaml_text import quoted, value_of
from deploy.console.finding import live
from deploy.console.finding.crew import Again, Crew
from deploy.console.finding.draft import Draft, DraftMiner, farm_text
from deploy.console.finding.finding import Looked, fine
from deploy.console.finding.found import FoundMiner
from deploy.console.finding.interview import likeliest_subnet
from deploy.console.finding.live import Subject, look_at_everything
from deploy.console.finding.miners import Searched, known_as
from deploy.console.finding.showing import searched_shown
from deploy.console.finding.subnets import addresses_of, own_subnets, parse_subnets
from deploy.console.finding.summary import remarks, summary
from deploy.console.trouble import TroubleError
from shared.clock import SystemClock
from shared.settings import Address, FarmSettings, Secrets

ROUTES = """\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t0158A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0058A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
wg0\t0700000A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0
eth1\t0000100A\t0158A8C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_the_subnets_of_a_machine_are_those_that_no_router_leads_to(tmp_path: Path) -> None:
    routes = tmp_path / "route"
    routes.write_text(ROUTES, encoding="ascii")
    assert own_subnets(routes) == {"eth0 192.168.88.0/24": IPv4Network("192.168.88.0/24")}
    assert own_subnets(tmp_path / "none") == {}


def test_the_subnet_that_is_offered_is_neither_one_of_containers_nor_too_large() -> None:
    own = {"docker0 172.17.0.0/16": IPv4Network("172.17.0.0/16"), "br-0 172.18.0.0/24": IPv4Network("172.18.0.0/24")}
    assert likeliest_subnet(own) == "none"
    assert likeliest_subnet(own | {"eth0 10.0.0.0/24": IPv4Network("10.0.0.0/24")}) == "10.0.0.0/24"


@pytest.mark.parametrize(
    ("subnet", "count", "first", "last"),
    [
        ("192.168.88.0/24", 254, "192.168.88.1", "192.168.88.254"),
        ("192.168.88.77/24", 254, "192.168.88.1", "192.168.88.254"),
        ("10.0.0.0/30", 2, "10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/31", 2, "10.0.0.0", "10.0.0.1"),
        ("10.0.0.7", 1, "10.0.0.7", "10.0.0.7"),
        ("10.0.0.0/20", 4094, "10.0.0.1", "10.0.15.254"),
    ],
)
def test_network_and_broadcast_address_are_left_out(subnet: str, count: int, first: str, last: str) -> None:
    addresses = addresses_of(parse_subnets([subnet]))
    assert (len(addresses), str(addresses[0]), str(addresses[-1])) == (count, first, last)


def test_what_two_subnets_have_in_common_is_asked_once() -> None:
    assert len(addresses_of(parse_subnets(["10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/24"]))) == 254


def test_a_large_subnet_is_searched_only_on_purpose() -> None:
    with pytest.raises(TroubleError, match="add --large"):
        parse_subnets(["10.0.0.0/19"])
    assert len(addresses_of(parse_subnets(["10.0.0.0/19"], large=True))) == 8190
    with pytest.raises(TroubleError, match="too large"):
        parse_subnets(["10.0.0.0/15"], large=True)


# --- jobs side by side


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_job_that_hangs_delays_no_other(released: threading.Event) -> None:
    crew: Crew[str] = Crew(hands_max=2)
    crew.give("hangs", lambda: str(released.wait(30)))
    for number in range(5):
        crew.give(f"quick {number}", lambda: "done")
    done = [crew.take(10) for _ in range(5)]
    assert {each[0] for each in done if each is not None} == {f"quick {number}" for number in range(5)}
    assert crew.unfinished == ["hangs"]
    assert crew.take(0.0) is None
    crew.dismiss()


def test_a_job_that_fails_is_a_result_and_one_that_waits_is_called_again() -> None:
    crew: Crew[str] = Crew()
    turns = iter([Again(0.0), Again(0.0), "at last"])
    crew.give("waits", lambda: next(turns))  # type: ignore[arg-type,return-value]
    assert crew.take(10) == ("waits", "at last")
    crew.give("fails", lambda: str(1 / 0))
    done = crew.take(10)
    assert done is not None
    assert isinstance(done[1], ZeroDivisionError)
    crew.dismiss()


def test_what_hangs_or_fails_is_told_as_wrong_beside_what_is_fine(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    def jobs(_subject: Subject, _complaints: object) -> Iterator[tuple[str, object]]:
        yield "miner a", lambda: fine("miner", "a", "well")
        yield "miner b", lambda: Looked((), {"b": timedelta(seconds=1 / 0)})
        yield "miner c", lambda: released.wait(30)

    monkeypatch.setattr(live, "_jobs", jobs)
    monkeypatch.setattr(live, "WHOLE_SECONDS", 0.5)
    found = look_at_everything(Subject(FarmSettings(), Secrets({}, {}, Path()), None, SystemClock()))
    assert {finding.name: finding.is_fine for finding in found} == {"a": True, "b": False, "c": False}
    assert "failed (ZeroDivisionError)" in next(finding.said for finding in found if finding.name == "b")
    assert "not done with within 0.5 s" in next(finding.said for finding in found if finding.name == "c")


# --- what is said


def test_an_address_that_could_not_be_asked_is_unknown_and_said() -> None:
    searched = Searched(asked=253, not_asked=tuple(IPv4Network("10.0.0.9/32")))
    assert not searched.is_whole
    assert "Unknown: 1 addresses from 10.0.0.9 could not be asked by this machine. Fix:" in searched_shown(searched)


def test_a_miner_is_known_by_its_address_and_where_it_has_moved_by_its_mac() -> None:
    farm = FarmSettings.model_validate(
        {
            "miners": {
                "a": {"driver": "vnish", "host": "10.0.0.1", "mac": "02:00:00:00:00:0A"},
                "b": {"driver": "vnish", "host": "10.0.0.2"},
            }
        }
    )
    assert known_as(FoundMiner(Address("10.0.0.2"), "vnish"), farm) == "b"
    assert known_as(FoundMiner(Address("10.0.0.3"), "vnish", mac="02:00:00:00:00:0a"), farm) == "a"
    assert known_as(FoundMiner(Address("10.0.0.3"), "vnish"), farm) is None


def test_what_an_owner_may_want_to_think_over_is_remarked_and_no_login_is_shown() -> None:
    farm = FarmSettings.model_validate(
        {
            "broker": {"url": "mqtt://user:secret@10.0.0.1:1883"},
            "battery": {"home_assistant": {"url": "http://ha:8123", "state_of_charge": "sensor.soc"}},
            "miners": {
                "narrow": {"driver": "vnish", "host": "10.0.0.1", "stop_soc": 50, "resume_soc": 51},
                "held": {"driver": "vnish", "host": "10.0.0.2", "stop_soc": 50, "resume_soc": 60, "failsafe": "hold"},
                "free": {"driver": "vnish", "host": "10.0.0.3"},
                "sound": {"driver": "vnish", "host": "10.0.0.4", "stop_soc": 50, "resume_soc": 60},
            },
        }
    )
    told = list(remarks(farm, Secrets({"VNISH_PASSWORD": "x"}, {}, Path())))
    assert [remark.split(":")[0] for remark in told] == ["narrow", "held", "free"]
    assert summary(farm)["broker"] == "mqtt://***@10.0.0.1:1883"


@pytest.mark.parametrize("name", ["0e-1", "12", "null", "on", "---", "s19-20"])
def test_a_name_is_a_name_in_the_file_too(name: str) -> None:
    text = farm_text(Draft("UTC", [DraftMiner(name, "bitaxe", "192.0.2.1")]))
    assert list(YAML(typ="safe", pure=True).load(text)["miners"]) == [name]


@pytest.mark.parametrize("text", ["\x7f", "\x85", "\ud800", 'a"b\\c', "\u2028", "Rig 7"])
def test_what_cannot_be_printed_comes_back_as_it_was(text: str) -> None:
    assert value_of(quoted(text)) == text
