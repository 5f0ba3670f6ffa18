"""`sunherd discover miners` on a /24 whose other addresses are silent, as on a real network; every packet is seen.

Two network namespaces and a cable between them: silence is the absence of an answer to ARP, which loopback never has.
"""

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.finding_namespace import ADDRESSES, HOSTS, NEIGHBOUR

ROOT = Path(__file__).parents[2]
SUBNET = ipaddress.ip_network("10.77.0.0/24")
SEEKER = "10.77.0.1"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@dataclass
class Cable:
    """The namespaces at both ends."""

    farm: str
    seeker: str


def lay(ends: Cable, stack: ExitStack) -> None:
    for namespace in (ends.farm, ends.seeker):
        ip("netns", "add", namespace)
        stack.callback(ip, "netns", "del", namespace)
    ip("link", "add", "plain", "netns", ends.farm, "type", "veth", "peer", "name", "plain", "netns", ends.seeker)
    for namespace in (ends.farm, ends.seeker):
        for interface in ("lo", "plain"):
            ip("-n", namespace, "link", "set", interface, "up")
    for address in ADDRESSES:
        ip("-n", ends.farm, "addr", "add", f"{address}/24", "dev", "plain")
    ip("-n", ends.seeker, "addr", "add", f"{SEEKER}/24", "dev", "plain")
    # It could reach the neighbours if it wanted to.
    ip("-n", ends.seeker, "route", "add", "10.77.1.0/24", "dev", "plain")


@pytest.fixture
def cable() -> Iterator[Cable]:
    ends = Cable(f"sunherd-f{os.getpid()}", f"sunherd-s{os.getpid()}")
    with ExitStack() as stack:
        try:
            lay(ends, stack)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("NETWORK NAMESPACES ARE NOT PERMITTED HERE: discovery is not tested against silence")
        yield ends


def inside(namespace: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, sys.executable, "-m", *command]


@dataclass
class Told:
    """What a search said, and what was seen on the wire meanwhile."""

    found: dict[str, Any]
    asked: set[str]
    strayed: list[str]


def searched(cable: Cable, directory: Path, *arguments: str, open_files: int = 1024) -> Told:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")}
    environment["PYTHONPATH"] = str(ROOT)
    farm = subprocess.Popen(
        inside(cable.farm, "tests.finding_namespace", "plain"),
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert farm.stdin is not None
    assert farm.stdout is not None
    try:
        assert farm.stdout.readline() == "up\n"
        done = subprocess.run(
            [
                "prlimit",
                f"--nofile={open_files}",
                *inside(cable.seeker, "deploy.console", "discover", "miners", "--json", *arguments),
            ],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        seen, _ = farm.communicate(timeout=30)
    finally:
        farm.kill()
        farm.wait()
    assert done.stdout, done.stderr
    wire = json.loads(seen)
    return Told(json.loads(done.stdout), set(wire["asked"]), wire["strayed"])


def test_in_a_silent_24_none_is_missed_each_address_is_asked_and_none_beside_them(cable: Cable, tmp_path: Path) -> None:
    told = searched(cable, tmp_path, "--subnet", str(SUBNET))
    print(f"a /24 of five devices and silence: {told.found['seconds']} s")
    assert {miner["address"] for miner in told.found["found"]} == {
        host for name, host in HOSTS.items() if name != "rig-7"
    }
    hosts = {str(address) for address in SUBNET.hosts()}
    assert told.asked - hosts == set(), "neither a neighbour nor network or broadcast address was asked"
    assert hosts - told.asked - {SEEKER} == set(), "no address was left out"
    assert told.strayed == [], "the redirect to the neighbour was not followed"
    assert told.found["asked"] == 254
    assert told.found["others"] == 1, "the one that redirects"
    assert told.found["mute"] == told.found["not_asked"] == []
    assert told.found["seconds"] < 10, "no dead address is waited for on its own"


def test_where_no_way_leads_there_nobody_knows_who_is_there(cable: Cable, tmp_path: Path) -> None:
    told = searched(cable, tmp_path, "--subnet", "10.99.0.0/29")
    assert told.found["not_asked"] == [f"10.99.0.{host}" for host in range(1, 7)]
    assert told.found["asked"] == 0


def test_whoever_may_open_few_sockets_misses_none(cable: Cable, tmp_path: Path) -> None:
    told = searched(cable, tmp_path, "--subnet", str(SUBNET), "--wait", "0.5", open_files=60)
    assert len(told.found["found"]) == 4
    assert told.found["asked"] == 254
    assert told.found["seconds"] < 30


def test_a_part_of_a_subnet_is_a_part_of_it(cable: Cable, tmp_path: Path) -> None:
    told = searched(cable, tmp_path, "--subnet", "10.77.0.0/29")
    assert [miner["address"] for miner in told.found["found"]] == ["10.77.0.2", "10.77.0.3"]
    assert told.asked <= {f"10.77.0.{host}" for host in range(1, 7)}
    assert NEIGHBOUR not in told.asked
