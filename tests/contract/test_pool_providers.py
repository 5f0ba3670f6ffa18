"""What every provider must do with what its pool answers, good or bad: one suite for all of them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pool_poller.names import find_worker
from services.pool_poller.provider import AccountFacts, Answer, PoolAnswerError, PoolProvider, WorkerFacts
from services.pool_poller.providers import provider_of
from shared.settings.pools import KEYED_POOLS
from tests.contract.pool_answers import HASHRATE_UNREAD, NOW, SHAPES, Rig

ALL = sorted(SHAPES)


def pool(key: str) -> PoolProvider:
    return provider_of({}, key)


def facts(key: str, *rigs: Rig) -> AccountFacts:
    return pool(key).parse([Answer(200, SHAPES[key].text(rigs))], NOW)


def the_one(key: str, *rigs: Rig, name: str = "rig7") -> WorkerFacts:
    found = find_worker(facts(key, *rigs).workers, name)
    assert found is not None
    return found


def refusal(key: str, status: int, body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(PoolAnswerError) as caught:
        pool(key).parse([Answer(status, text)], NOW)
    assert caught.value.sentence
    return caught.value.code


def ago(seconds: float) -> Any:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize("key", ALL)
def test_a_live_worker(key: str) -> None:
    worker = the_one(key, Rig("rig7", ago(30)), Rig("other", ago(7200), 0))

    assert worker.last_seen_at is not None
    assert ago(31) <= worker.last_seen_at <= NOW
    assert worker.online is not False
    assert worker.problem is None
    assert worker.hashrate_hs == (None if key in HASHRATE_UNREAD else pytest.approx(1.5e12))


@pytest.mark.parametrize("key", ALL)
def test_a_dead_worker_is_old_by_the_default(key: str) -> None:
    worker = the_one(key, Rig("rig7", ago(7200), 0), Rig("other", ago(10)))

    assert worker.last_seen_at is not None
    assert (NOW - worker.last_seen_at).total_seconds() > pool(key).offline_seconds
    assert worker.online is not True
    assert worker.hashrate_hs in {None, 0.0}


@pytest.mark.parametrize("key", ALL)
def test_an_account_without_workers(key: str) -> None:
    shape = SHAPES[key]
    if shape.empty_code is None:
        assert facts(key).workers == ()
    else:
        assert refusal(key, 200, shape.text([])) == shape.empty_code


@pytest.mark.parametrize("key", ALL)
def test_an_unknown_account(key: str) -> None:
    shape = SHAPES[key]
    status, body = shape.unknown
    if shape.unknown_code is None:
        assert pool(key).parse([Answer(status, json.dumps(body))], NOW).workers == ()
    else:
        assert refusal(key, status, body) == shape.unknown_code


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><html><body>maintenance</body></html>",
        "",
        "  \n",
        "OK",
        "[" * 100_000,
        "9" * 10_000,
        "null",
        "{}",
    ],
    ids=["html", "empty", "blank", "word", "deep", "digits", "null", "other-object"],
)
def test_no_answer_at_all(key: str, text: str) -> None:
    assert refusal(key, 200, text) == "bad_answer"


@pytest.mark.parametrize("key", ALL)
def test_an_answer_that_broke_off_never_counts_for_a_part_of_the_workers(key: str) -> None:
    whole = SHAPES[key].text([Rig("rig7"), Rig("other")])
    for length in range(1, len(whole), 7):
        assert refusal(key, 200, whole[:length]) == "bad_answer"


@pytest.mark.parametrize("key", ALL)
def test_statuses(key: str) -> None:
    fine = SHAPES[key].text([Rig("rig7")])
    assert refusal(key, 429, fine) == "rate_limited"
    assert refusal(key, 503, "<html>") == "pool_error"
    assert refusal(key, 500, fine) == "pool_error"
    assert refusal(key, 302, "") == "pool_error"
    for status in (401, 403):
        keyed = key in {*KEYED_POOLS, "f2pool_v1"}
        assert refusal(key, status, "<html>") == ("unauthorized" if keyed else "pool_error")


@pytest.mark.parametrize("key", ALL)
def test_a_time_in_the_future_is_told_as_it_is(key: str) -> None:
    if key == "ocean":  # its one time is that of the whole answer
        body = json.loads(SHAPES[key].text([Rig("rig7")]))
        body["result"]["snap_ts"] = str(int(ago(-7200).timestamp()))
        (worker,) = pool(key).parse([Answer(200, json.dumps(body))], NOW).workers
    elif key == "nicehash":  # one that mines is seen now, whatever the time of its status
        assert the_one(key, Rig("rig7", ago(-7200))).last_seen_at == NOW
        return
    else:
        worker = the_one(key, Rig("rig7", ago(-7200)))
    assert worker.last_seen_at == ago(-7200)


@pytest.mark.parametrize(("key", "place"), [("ocean", ("result", "snap_ts")), ("2miners", ("updatedAt",))])
def test_a_pool_whose_statistics_stand_still_shows_nobody_dead(key: str, place: tuple[str, ...]) -> None:
    for minutes, good in ((9, True), (11, False)):
        body = inner = json.loads(SHAPES[key].text([Rig("rig7", ago(7200), 0), Rig("other", ago(7200), 0)]))
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = int(ago(minutes * 60).timestamp() * 1000)
        if good:
            assert len(pool(key).parse([Answer(200, json.dumps(body))], NOW).workers) == 2
        else:
            assert refusal(key, 200, body) == "bad_answer"


@pytest.mark.parametrize("key", ALL)
def test_numbers_may_be_written_as_text(key: str) -> None:
    shape = SHAPES[key]
    rigs = [Rig("rig7", ago(30)), Rig("other", ago(7200), 0)]
    as_text = json.dumps(_as_text(json.loads(shape.text(rigs))))
    assert pool(key).parse([Answer(200, as_text)], NOW) == facts(key, *rigs)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return value if isinstance(value, bool | str | None) else str(value)


NONSENSE: list[Any] = [
    *(None, True, "", "soon", "NaN", "-5", -1, 0, "1e400", 10**400, 10**25, float("nan"), float("inf")),
    *([], {}, "2026-11-20 11:59:00", "9" * 5000),
]


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: repr(value)[:24])
def test_nonsense_of_one_worker_is_unknown_and_touches_no_other(key: str, nonsense: Any) -> None:
    said = facts(key, Rig("rig7", nonsense, nonsense), Rig("other", ago(30)))

    worker, other = find_worker(said.workers, "rig7"), find_worker(said.workers, "other")
    assert worker is not None
    assert other == the_one(key, Rig("other", ago(30)), name="other")
    assert worker.hashrate_hs in {None, 0.0}
    if key == "ocean" and nonsense in (0, "0"):
        assert worker.last_seen_at == ago(86_400)  # every window is empty
    else:
        assert worker.last_seen_at is None


@pytest.mark.parametrize("key", ALL)
def test_a_row_that_nobody_can_read_proves_no_absence(key: str) -> None:
    shape = SHAPES[key]
    body = shape.text([Rig("rig7", ago(30)), Rig("MARK", ago(30))])
    broken = body.replace(json.dumps("MARK"), json.dumps("x" * 5000))
    said = pool(key).parse([Answer(200, broken)], NOW)

    assert [worker.name for worker in said.workers] == ["rig7"]
    assert not said.absent_is_offline
    assert facts(key, Rig("rig7")).absent_is_offline is (key in {"public_pool", "ocean", "f2pool", "f2pool_v1"})


@pytest.mark.parametrize("key", ALL)
def test_the_name_of_a_worker(key: str) -> None:
    assert the_one(key, Rig("acct.rig7"), Rig("RIG8")).name == "acct.rig7"
    assert the_one(key, Rig("Rig7"), Rig("rig70")).name == "Rig7"
    assert the_one(key, Rig("RIG7"), Rig("rig7")).name == "rig7"
    several = facts(key, Rig("a.rig7"), Rig("b.rig7"))
    assert find_worker(several.workers, "rig7") is None
    assert find_worker(facts(key, Rig("shed.1")).workers, "rig.1") is None
    # An empty name is a worker, too, and at work; but nobody's.
    assert [worker.name for worker in facts(key, Rig(""), Rig("rig7")).workers] == ["", "rig7"]
    assert find_worker(facts(key, Rig("")).workers, "rig.") is None


@pytest.mark.parametrize("key", [key for key in ALL if not SHAPES[key].keyed])
def test_sessions_of_one_worker_are_one(key: str) -> None:
    said = facts(key, Rig("rig7", ago(1500)), Rig("rig7", ago(40)), Rig("rig7", ago(900)))
    (worker,) = said.workers
    assert worker.last_seen_at in {ago(40), NOW}
    if key not in HASHRATE_UNREAD:
        assert worker.hashrate_hs == pytest.approx(4.5e12)


@given(
    key=st.sampled_from(ALL),
    rubbish=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
)
def test_rubbish_in_the_place_of_the_rows_never_breaks_it(key: str, rubbish: Any) -> None:
    marked = SHAPES[key].text([Rig("rig7", "MARK", "MARK")])
    for mark in ('"MARK"', '"rig7"'):
        body = marked.replace(f"{mark}:", '"rig7":').replace(mark, json.dumps(rubbish))
        try:
            said = pool(key).parse([Answer(200, body)], NOW)
        except PoolAnswerError:
            continue
        assert all(worker.last_seen_at is None or worker.last_seen_at.year > 2008 for worker in said.workers)


@given(key=st.sampled_from(ALL), text=st.text(max_size=50), status=st.integers(0, 999))
def test_any_text_of_any_status_is_no_good_answer(key: str, text: str, status: int) -> None:
    with pytest.raises(PoolAnswerError):
        pool(key).parse([Answer(status, text)], NOW)
