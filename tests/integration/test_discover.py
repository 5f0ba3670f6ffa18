"""`sunherd discover` on loopback: who is found, who is asked, and what it says to bad input."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.simulator.http import Request, Response, Wire
from services.simulator.http_server import HttpServer
from tests.finding_farm import FindingFarm, finding_farm
from tests.typist import Typist, environment

PORT = 18_080
HOSTS = {"s19-20": "127.0.1.7", "s19-21": "127.0.1.130", "bitaxe-1": "127.0.1.1", "bitaxe-2": "127.0.1.254"}


@pytest.fixture(scope="module")
def farm() -> Iterator[FindingFarm]:
    with finding_farm(HOSTS, PORT) as started:
        yield started


def sunherd(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.console", *arguments],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def miners(directory: Path, *arguments: str) -> dict[str, Any]:
    done = sunherd(directory, "discover", "miners", "--port", str(PORT), "--json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_are_found_and_each_is_told_by_driver_model_firmware_mac_and_state(
    farm: FindingFarm, tmp_path: Path
) -> None:
    found = miners(tmp_path, "--subnet", "127.0.1.0/24")
    assert found["asked"] == 254
    assert {miner["address"]: miner["driver"] for miner in found["found"]} == {
        "127.0.1.1:18080": "bitaxe",
        "127.0.1.7:18080": "vnish",
        "127.0.1.130:18080": "vnish",
        "127.0.1.254:18080": "bitaxe",
    }
    old = next(miner for miner in found["found"] if miner["address"] == "127.0.1.130:18080")
    assert (old["model"], old["firmware"], old["mac"]) == ("Antminer S19", "1.2.0-beta10", "02:00:00:00:00:21")
    assert old["state"] == "hashing"
    assert all(miner["in_farm"] is None and miner["in_farm_known"] for miner in found["found"]), "there is no farm file"


def test_a_bitaxe_is_asked_once(farm: FindingFarm, tmp_path: Path) -> None:
    for axe in farm.bitaxes.values():
        axe.heard.clear()
    miners(tmp_path, "--subnet", "127.0.1.0/24")
    assert [farm.requests(name) for name in farm.bitaxes] == [["/api/system/info"]] * 2


def test_a_bitaxe_that_is_slow_is_not_missed(farm: FindingFarm, tmp_path: Path) -> None:
    axe = farm.bitaxes["bitaxe-1"]
    before, axe.faults = axe.faults, replace(axe.faults, slow_seconds=1.5)
    try:
        found = miners(tmp_path, "--subnet", "127.0.1.0/24")
    finally:
        axe.faults = before
    assert "127.0.1.1:18080" in {miner["address"] for miner in found["found"]}


def test_whoever_stands_in_the_farm_file_is_named(farm: FindingFarm, tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text(
        'miners: {tall: {driver: vnish, host: "127.0.1.7:18080"}, '
        'moved: {driver: vnish, host: 10.0.0.1, mac: "02:00:00:00:00:21"}}\n',
        encoding="utf-8",
    )
    found = miners(tmp_path, "--subnet", "127.0.1.0/24")
    assert {miner["address"]: miner["in_farm"] for miner in found["found"] if miner["driver"] == "vnish"} == {
        "127.0.1.7:18080": "tall",
        "127.0.1.130:18080": "moved",
    }


def test_of_a_farm_file_that_cannot_be_read_nobody_knows_who_stands_in_it(farm: FindingFarm, tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text("miners: [", encoding="utf-8")
    found = miners(tmp_path, "--subnet", "127.0.1.0/24")
    assert [miner["in_farm_known"] for miner in found["found"]] == [False] * 4


def test_whoever_takes_connections_and_does_not_answer_is_told_as_unknown(tmp_path: Path) -> None:
    with HttpServer(lambda _request: Response(wire=Wire.SILENCE)) as mute:
        port = mute.port
        done = sunherd(tmp_path, "discover", "miners", "--subnet", "127.0.0.1/32", "--port", str(port))
    assert done.returncode == 1
    assert f"Unknown: 127.0.0.1:{port}: takes connections and does not answer" in done.stdout


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    def elsewhere(request: Request) -> Response:
        asked.append(request.path)
        return Response()

    with HttpServer(elsewhere) as other:
        target = f"http://127.0.0.1:{other.port}/api/v1/info"
        with HttpServer(lambda _request: Response(302, headers={"Location": target})) as tempter:
            found = miners_at(tmp_path, tempter.port)
    assert asked == []
    assert found["others"] == 1
    assert found["found"] == []


def miners_at(directory: Path, port: int) -> dict[str, Any]:
    done = sunherd(directory, "discover", "miners", "--subnet", "127.0.0.1/32", "--port", str(port), "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_on_a_terminal_it_asks_for_the_subnet_and_shows_how_far_it_is(farm: FindingFarm, tmp_path: Path) -> None:
    typist = Typist(tmp_path, "discover", "miners", "--port", str(PORT), TERM="xterm")
    typist.answer("Which subnets are to be searched?", "127.0.1.0/24")
    assert typist.end() == 0, typist.said
    assert "of 254 addresses, " in typist.said
    assert "4 miners on 254 addresses in " in typist.said


@pytest.mark.parametrize(
    ("subnet", "words"),
    [
        ("192.168.88.0/33", "'192.168.88.0/33' is not a subnet. Fix: write an address and its length"),
        ("miner.lan", "'miner.lan' is not a subnet. Fix:"),
        ("10.0.0.0/19", "10.0.0.0/19 has 8190 addresses. Fix: name a smaller one, or add --large"),
        ("10.0.0.0/8", "10.0.0.0/8 is too large to be searched. Fix:"),
        ("1.1.1.0/24", "1.1.1.0/24 is neither a private network nor one of this machine. Fix:"),
        ("fe80::/64", "only IPv4 subnets can be searched. Fix:"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_what_to_do(subnet: str, words: str, tmp_path: Path) -> None:
    done = sunherd(tmp_path, "discover", "miners", "--subnet", subnet)
    assert done.returncode == 2
    assert words in done.stderr


def test_without_a_subnet_and_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    done = sunherd(tmp_path, "discover", "miners")
    assert done.returncode == 2
    assert "no subnet is given, and none is asked unasked." in done.stderr
    assert "Fix: add --subnet 192.168.88.0/24." in done.stderr


def test_plugs_are_found_where_they_are_asked_for(tmp_path: Path) -> None:
    with finding_farm({"rig-7": "127.0.1.50"}):
        done = sunherd(tmp_path, "discover", "kasa", "--target", "127.0.1.50", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert "127.0.1.50" in done.stdout
    assert "KP115" in done.stdout


def test_where_no_plug_answers_it_says_why_that_may_be(tmp_path: Path) -> None:
    done = sunherd(tmp_path, "discover", "kasa", "--target", "127.0.1.51", "--seconds", "1")
    assert done.returncode == 1
    assert "No plug has answered on 127.0.1.51 within 1 s." in done.stderr
