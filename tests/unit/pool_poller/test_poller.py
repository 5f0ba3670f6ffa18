"""The poller of an account on a virtual clock: when it asks, what it makes known, and what it says once."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from services.simulator.http import Request, Response, Wire
from services.simulator.pool import PoolFaults
from shared.clock import VirtualClock
from shared.messages import PoolVerdict, Severity
from tests.pool_farm import ACCOUNT, Pool, PoolRig, rig_of

ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


def test_one_request_for_all_workers_of_an_account(clock: VirtualClock) -> None:
    pool = Pool(clock)
    rig = rig_of(pool, clock)
    rig.run(301, pool.beat)
    assert len(pool.heard) == 6
    assert [reading.verdict for reading in (rig.last("m7"), rig.last("m8"))] == [ONLINE, ONLINE]
    assert rig.last("m7").others_online == 1
    assert rig.last("m7").hashrate_ths == 1.0
    assert len(rig.readings["m7"]) == 6
    assert rig.events == []


def test_a_dead_worker_is_offline_and_the_other_not(clock: VirtualClock) -> None:
    pool = Pool(clock)
    rig = rig_of(pool, clock)
    rig.run(300, pool.beat)
    pool.alive = {"rig8"}
    rig.run(900, pool.beat)
    assert rig.verdicts("m7") == ["online", "offline"]
    assert rig.verdicts("m8") == ["online"]
    assert rig.last("m7").since - (rig.last("m7").last_seen_at or clock.now()) <= timedelta(seconds=661)


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (PoolFaults(web_page=True), "bad_answer"),
        (PoolFaults(garbage=b'{"worker": [{"workername"'), "bad_answer"),
        (PoolFaults(garbage=b""), "bad_answer"),
        (PoolFaults(garbage=b"\xff\xfe\x00"), "bad_answer"),
        (PoolFaults(garbage=b"[" * 100_000), "bad_answer"),
        (PoolFaults(huge=True), "bad_answer"),
        (PoolFaults(endless=True), "bad_answer"),
        (PoolFaults(trickles_seconds=2.0), "unreachable"),
        (PoolFaults(wire=Wire.SILENCE), "unreachable"),
        (PoolFaults(wire=Wire.RESET), "unreachable"),
        (PoolFaults(wire=Wire.HALF), "unreachable"),
        (PoolFaults(status=500), "pool_error"),
        (PoolFaults(status=429), "rate_limited"),
        (PoolFaults(status=404), "unknown_account"),
        (PoolFaults(redirects_to="http://elsewhere.test/"), "pool_error"),
        (PoolFaults(redirects_to="http://mine.test/users/again"), "pool_error"),
    ],
)
def test_bad_input_is_unknown_said_once_and_no_other_accounts_business(
    clock: VirtualClock, faults: PoolFaults, code: str
) -> None:
    sick, well = Pool(clock), Pool(clock)
    workers = {"m7": f"sick/{ACCOUNT}/rig7", "m8": f"well/{ACCOUNT}/rig8"}
    rig = PoolRig({"sick": sick, "well": well}, workers, clock)

    def beat() -> None:
        sick.beat()
        well.beat()

    rig.run(120, beat)
    sick.alive = set()
    rig.run(700, beat)
    assert rig.verdicts("m7") == ["online", "offline"]
    sick.faults = faults
    rig.run(1500, beat)
    assert rig.verdicts("m7") == ["online", "offline", "unknown"]
    assert rig.last("m7").problem == code
    assert rig.verdicts("m8") == ["online"]
    assert rig.codes() == [code]
    sick.faults, sick.alive = PoolFaults(), {"rig7"}
    rig.run(1900, beat)
    assert rig.last("m7").verdict is ONLINE
    assert rig.codes() == [code, "pool_answers"]
    assert {event.severity for _, event in rig.events if event.code == "pool_answers"} == {Severity.INFO}


def test_one_lost_answer_is_not_worth_a_word(clock: VirtualClock) -> None:
    pool = Pool(clock)
    rig = rig_of(pool, clock)
    rig.run(61, pool.beat)
    pool.faults.status = 503
    rig.run(60, pool.beat)
    pool.faults.status = None
    rig.run(300, pool.beat)
    assert (rig.events, rig.verdicts("m7")) == ([], ["online"])


@pytest.mark.parametrize("code", ["unknown_account", "unauthorized"])
def test_what_a_person_must_mend_is_said_at_once_as_an_error(clock: VirtualClock, code: str) -> None:
    pool = Pool(clock, "another" if code == "unknown_account" else ACCOUNT)
    pool.key = None if code == "unknown_account" else "right"
    provider = "ckpool" if code == "unknown_account" else "luxor"
    rig = rig_of(pool, clock, provider=provider, secrets={"MINE_KEY": "wrong-secret"})
    rig.run(10, pool.beat)
    assert rig.codes() == [code]
    assert rig.events[0][1].severity is Severity.ERROR
    assert "Fix:" in rig.events[0][1].sentence
    rig.run(7200, pool.beat)
    assert rig.codes() == [code]
    assert rig.last("m7").verdict is UNKNOWN


def test_a_key_goes_into_the_header_and_nowhere_else(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pool = Pool(clock)
    pool.key = "s3cr3t-key"
    rig = rig_of(pool, clock, provider="viabtc", secrets={"MINE_KEY": "s3cr3t-key"})
    rig.run(130, pool.beat)
    assert rig.last("m7").verdict is ONLINE
    assert all("s3cr3t-key" in heard.headers.values() for heard in pool.heard)
    for faults in (PoolFaults(status=401), PoolFaults(wire=Wire.RESET), PoolFaults(garbage=b"s3cr3t-key")):
        pool.faults = faults
        rig.run(600, pool.beat)
    told = "".join(
        [caplog.text]
        + [event.model_dump_json() for _, event in rig.events]
        + [reading.model_dump_json() for readings in rig.readings.values() for reading in readings]
        + [heard.path for heard in pool.heard]
    )
    assert "s3cr3t-key" not in told


def test_a_redirect_gets_no_key(clock: VirtualClock) -> None:
    pool, thief = Pool(clock), Pool(clock)
    pool.faults.redirects_to = "http://thief.test/res/openapi/v1/hashrate/worker"
    workers = {"m7": f"mine/{ACCOUNT}/rig7"}
    rig = PoolRig({"mine": pool, "thief": thief}, workers, clock, provider="viabtc", secrets={"MINE_KEY": "key"})
    rig.run(600)
    assert len(pool.heard) > 0
    assert len(thief.heard) == 0


def test_a_redirect_within_a_host_is_followed(clock: VirtualClock) -> None:
    pool = Pool(clock)

    def moved(request: Request) -> Response:
        if request.path.startswith("/users/"):
            return Response(301, headers={"Location": "/now" + request.path})
        return pool.handle(replace(request, path=request.path.removeprefix("/now")))

    rig = rig_of(moved, clock)
    rig.run(61, pool.beat)
    assert rig.last("m7").verdict is ONLINE
