"""Pools in the farm file, and the workers that its miners name there."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.pool_poller.places import parse_place
from shared.settings import FarmFileError, FarmSettings, Secrets, load_farm
from shared.settings.pools import PoolSettings, key_variable_of


def load(directory: Path, *lines: str, **secrets: str) -> FarmSettings:
    file = directory / "farm.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return load_farm(file, Secrets(secrets, {}, directory / "secrets"))


def problems(directory: Path, *lines: str, **secrets: str) -> list[str]:
    with pytest.raises(FarmFileError) as caught:
        load(directory, *lines, **secrets)
    return str(caught.value).replace(f"{directory}/farm.yaml", "").splitlines()[:-1]


def miner(worker: str, more: str = "", name: str = "m1") -> str:
    return f"  {name}: {{driver: vnish, host: {name}, worker: '{worker}'{more}}}"


def test_a_worker_at_a_built_in_pool_needs_no_more_than_its_name(tmp_path: Path) -> None:
    farm = load(tmp_path, "miners:", miner("ckpool/bc1q/rig/7", ", status_check_frequency: 2 min"))
    assert farm.miners["m1"].worker == "ckpool/bc1q/rig/7"
    assert farm.miners["m1"].status_check_frequency == timedelta(minutes=2)
    assert farm.pools == {}


def test_pools_of_ones_own(tmp_path: Path) -> None:
    farm = load(
        tmp_path,
        "pools:",
        "  my-ckpool: {provider: ckpool, url: 'http://10.0.0.5:8080', poll: 90 s}",
        "  ocean: {poll: 2 min}",
        "  basement: {url: 'http://10.0.0.6/stats/{account}', workers: data.miners, name: id, last_seen: seen,",
        "    hashrate: hr, hashrate_unit: GH/s, headers: {X-Key: 'Bearer {secret}'}}",
        "miners:",
        miner("my-ckpool/bc1q/rig7"),
        miner("basement/me/rig7", name="m2"),
        BASEMENT_KEY="k3y",
    )
    assert farm.pools["my-ckpool"].poll == timedelta(seconds=90)
    assert [farm.pools[pool].is_described for pool in ("my-ckpool", "ocean", "basement")] == [False, False, True]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["miners:", miner("ckpol/a/b")],
            ":2: miners.m1.worker: no pool is called 'ckpol' (did you mean \"ckpool\"?).",
        ),
        (
            ["pools:", "  basement: {provider: ckpool}", "miners:", miner("basemant/a/b")],
            ":4: miners.m1.worker: no pool is called 'basemant' (did you mean \"basement\"?). Fix: use one of: 2miners",
        ),
        (
            ["miners:", miner("ckpool/b")],
            ":2: miners.m1.worker: 'ckpool/b' is not a worker at a pool. Fix: write pool/",
        ),
        (
            ["miners:", miner("ckpool/a/rig7"), miner("ckpool/a/RIG7", name="m2")],
            ":3: miners.m2.worker: ckpool/a/RIG7 is already the worker of m1. Fix: give each miner a worker of its own",
        ),
        (["miners:", miner("2miners/a/b")], ":2: miners.m1.worker: 2miners has one site for each coin, and none is"),
        (
            ["miners:", miner("braiins/a/b")],
            ":2: miners.m1.worker: the secret BRAIINS_KEY is missing. Fix: set BRAIINS_",
        ),
        (
            ["pools:", "  second: {provider: luxor}", "miners:", miner("second/a/b")],
            ":4: miners.m1.worker: the secret SECOND_KEY is missing.",
        ),
        (
            [
                "pools:",
                "  own: {url: 'http://h/', workers: w, last_seen: t, headers: {K: '{secret}'}}",
                "miners:",
                miner("own/a/b"),
            ],
            ":4: miners.m1.worker: the secret OWN_KEY is missing.",
        ),
        (["pools:", "  own: {provider: ckpol}"], ":2: pools.own.provider: no built-in pool is called 'ckpol' (did you"),
        (["pools:", "  own: {poll: 60 s}"], ":2: pools.own: own is no built-in pool. Fix: say which software it runs"),
        (
            ["pools:", "  ocean: {url: 'http://h/', workers: w, last_seen: t}"],
            ":2: pools.ocean: ocean is a built-in pool already. Fix: give this one another name.",
        ),
        (["pools:", "  ocean: {provider: ckpool}"], ":2: pools.ocean: ocean is a built-in pool already."),
        (
            ["pools:", "  a-b: {provider: ckpool}", "  a_b: {provider: ckpool}"],
            ":3: pools.a_b: the variable of its key, A_B_KEY, is that of a-b, too. Fix: rename one of the two.",
        ),
        (
            ["pools:", "  own: {provider: ckpool, workers: w}"],
            ":2: pools.own: workers cannot stand beside provider. Fix: remove them, or provider.",
        ),
        (["pools:", "  own: {url: 'http://h/', last_seen: t}"], ":2: pools.own: workers is missing. Fix: add it"),
        (["pools:", "  own: {workers: w, last_seen: t}"], ":2: pools.own: url is missing. Fix: add it"),
        (["pools:", "  own: {url: 'http://h/', workers: w}"], ":2: pools.own: nothing says who is at work. Fix: give"),
        (
            ["pools:", "  own: {url: 'http://h/', workers: w, last_seen: 'a..b'}"],
            ":2: pools.own.last_seen: 'a..b' is not a place in JSON. Fix: write it like data.workers",
        ),
        (
            ["pools:", "  own: {url: 'http://h/', workers: w, hashrate: r, hashrate_unit: Sol/s}"],
            ":2: pools.own.hashrate_unit: 'Sol/s' is not a unit of hashrate. Fix: write one such as H/s",
        ),
        (["pools:", "  ocean: {poll: 5 s}"], ":2: pools.ocean.poll: 5 s is too short. Fix: give at least 30 s."),
        (
            ["miners:", miner("ocean/a/b", ", status_check_frequency: 5 s")],
            ":2: miners.m1.status_check_frequency: 5 s is too short",
        ),
        (["pools:", "  ocean: {pol: 60 s}"], ':2: pools.ocean.pol: unknown key (did you mean "poll"?).'),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_its_fix(lines: list[str], said: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, *lines)
    assert found.startswith(said)


@pytest.mark.parametrize(
    "url", ["http://me:pa55@h/", "http://h/?k={secret}", "ftp://h/", "h", "http://", "http://h/ a"]
)
def test_an_address_is_refused_without_being_repeated(url: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "pools:", f"  ocean: {{url: '{url}'}}")
    assert found.startswith(
        ":2: pools.ocean.url: this is not the address of a pool. Fix: write it like http://10.0.0.5"
    )
    assert "pa55" not in found


def test_a_key_is_asked_for_once_and_only_where_a_miner_needs_it(tmp_path: Path) -> None:
    two = ["miners:", miner("viabtc/a/b"), miner("viabtc/a/c", name="m2")]
    assert len(problems(tmp_path, *two)) == 1
    assert load(tmp_path, *two, VIABTC_KEY="k").pools == {}
    assert load(tmp_path, "pools:", "  luxor: {poll: 5 min}").pools["luxor"].poll == timedelta(minutes=5)


def test_a_pool_that_has_closed_does_not_keep_an_old_file_from_loading(tmp_path: Path) -> None:
    lines = ["miners:", miner("flexpool/0x1/a"), miner("ethermine/0x1/a", name="m2"), miner("hiveon/0x1/a", name="m3")]
    assert len(load(tmp_path, *lines).miners) == 3


@pytest.mark.parametrize("place", ["", "@key", "a", "a.b", "a[0].b", "[6]", "a[*].b", "a.[0]", "24h_rate"])
def test_places_that_the_file_allows_are_those_that_are_understood(place: str) -> None:
    assert PoolSettings(url="http://h/", workers=place, last_seen=place).workers == place
    parse_place(place)


def test_the_variable_of_a_pool() -> None:
    assert key_variable_of("my-pool") == "MY_POOL_KEY"


OWN = "workers: w, last_seen: t, poll"


@pytest.mark.parametrize(
    ("pool", "floor"),
    [
        (f"{{url: 'http://127.0.0.1:8/{{account}}', {OWN}: 500 ms}}", 1),
        (f"{{url: 'http://10.0.0.6/', {OWN}: 20 s}}", 30),
        ("{provider: ckpool, url: 'http://127.0.0.1:8', poll: 20 s}", 30),
    ],
)
def test_only_a_described_pool_on_this_machine_may_be_asked_often(tmp_path: Path, pool: str, floor: int) -> None:
    (found,) = problems(tmp_path, "pools:", f"  own: {pool}")
    assert found.startswith(":2: pools.own.poll: ")
    assert f"too short. Fix: give at least {floor} s." in found
    often = load(tmp_path, "pools:", f"  own: {{url: 'http://localhost:8/', {OWN}: 1 s}}").pools["own"]
    assert (often.poll, often.poll_floor_seconds) == (timedelta(seconds=1), 1.0)
