"""The rules of being in charge fail on histories that are wrong in this one thing, and on no others."""

from dataclasses import replace

from tests.chaos import reign
from tests.chaos.checker import check
from tests.chaos.history import History, Ordered, Proclaimed
from tests.chaos.plan import Blow
from tests.unit.chaos.made_history import ENGINE_1, ENGINE_2, EPOCH, SECONDS, beat, broken, made, trouble


def ruled(history: History, since: float, engine: str = ENGINE_2, epoch: int = EPOCH + 1) -> None:
    """Another engine takes over, and everything follows it."""
    history.proclaimed.append(Proclaimed(since, engine, epoch, retained=False))
    history.ordered = [replace(one, engine=engine, epoch=epoch) if one.at >= since else one for one in history.ordered]
    history.told = [replace(one, epoch=epoch) if one.at >= since else one for one in history.told]


def killed_engine(at: float, new_at: float) -> History:
    history = made()
    ruled(history, new_at)
    history.beats = [one for one in history.beats if one.instance != ENGINE_1 or one.at < at]
    history.beats.append(beat(at, ENGINE_1, online=False))
    history.beats.sort(key=lambda one: one.at)
    history.done = [trouble(Blow.KILL, ENGINE_1, at, SECONDS)]
    return history


def test_a_takeover_in_time_is_measured() -> None:
    verdict = check(killed_engine(31.0, 33.5))
    assert verdict.broken == ()
    assert verdict.takeovers.all == (2.5,)


def test_a_late_takeover_is_found() -> None:
    assert reign.TAKEOVER in broken(killed_engine(31.0, 38.0))


def test_who_was_killed_and_is_back_at_once_does_not_hide_its_end() -> None:
    history = killed_engine(31.0, 33.5)
    history.beats += [beat(31.5, ENGINE_1, online=False), beat(33.0, ENGINE_1)]
    history.beats.sort(key=lambda one: one.at)
    assert check(history).takeovers.all == (2.5,)


def test_the_presence_of_a_frozen_engine_ends_with_its_third_beat() -> None:
    history = made()
    ruled(history, 46.2)
    history.beats = [one for one in history.beats if one.instance != ENGINE_1 or one.at <= 30]
    history.done = [trouble(Blow.FREEZE, ENGINE_1, 31.0, SECONDS)]
    verdict = check(history)
    assert verdict.broken == ()
    assert verdict.takeovers.all == (1.2,)


def test_a_takeover_from_one_who_is_there_is_found() -> None:
    history = made()
    ruled(history, 31.0)
    assert reign.TAKEOVER in broken(history)


def test_nobody_in_charge_at_the_end_is_found() -> None:
    history = killed_engine(31.0, 33.5)
    history.beats = [one for one in history.beats if one.instance != ENGINE_2 or one.at < 90]
    assert broken(history) == {reign.TAKEOVER}


def test_an_old_epoch_that_is_obeyed_is_found() -> None:
    history = killed_engine(31.0, 33.5)
    history.told = [
        replace(one, epoch=EPOCH) if one.device == "m0" and 40 < one.at < 43 else one for one in history.told
    ]
    assert broken(history) == {reign.OBEYED}


def test_after_lease_and_grace_without_a_word_an_epoch_is_forgotten() -> None:
    history = made()
    lost = (60.0, 60.0 + history.times.alone + 2)
    history.told = [replace(one, following="failsafe") if lost[0] <= one.at < lost[1] else one for one in history.told]
    history.told = [replace(one, epoch=EPOCH - 1) if one.at >= lost[1] else one for one in history.told]
    assert broken(history) == set()


def test_two_engines_that_write_are_found() -> None:
    history = killed_engine(31.0, 33.5)
    history.ordered.append(Ordered(115.0, "m0", ENGINE_1, EPOCH, pauses=False, retained=False))
    history.ordered.sort(key=lambda one: one.at)
    assert broken(history) == {reign.ONE_WRITER}


def test_what_an_engine_of_the_past_writes_is_to_be_overwritten() -> None:
    history = killed_engine(31.0, 33.5)
    history.done = [trouble(Blow.FREEZE, ENGINE_1, 31.0, 60.0)]
    history.ordered.append(Ordered(60.1, "m0", ENGINE_1, EPOCH, pauses=False, retained=False))
    history.ordered.sort(key=lambda one: one.at)
    assert reign.REWRITTEN not in broken(history)
    history.ordered = [one for one in history.ordered if not 60.2 < one.at < 80]
    # The engine in charge has been silent long after the trouble, so that no trouble excuses it either.
    history.done = [trouble(Blow.FREEZE, ENGINE_1, 31.0, 60.0)]
    assert reign.REWRITTEN in broken(history)


def test_a_lease_that_runs_out_is_found_where_an_engine_is_there() -> None:
    history = made()
    history.ordered = [one for one in history.ordered if one.device != "m1" or not 50 < one.at < 70]
    assert broken(history) == {reign.LED}
    history.done = [trouble(Blow.KILL, ENGINE_1, 51.0, 60.0)]
    assert broken(history) == set()
    history.done = [trouble(Blow.KILL, ENGINE_2, 51.0, 60.0)]
    assert broken(history) == {reign.LED}


def test_a_return_excuses_no_silence_for_long() -> None:
    """The other has long been in charge: when the first comes back, commands go on."""
    history = killed_engine(11.0, 13.5)
    history.done = [trouble(Blow.HOLD, ENGINE_1, 11.0, 60.0)]
    history.ordered = [one for one in history.ordered if not 60 < one.at < 90]
    history.proclaimed.append(Proclaimed(61.0, ENGINE_1, EPOCH, retained=False))
    assert reign.LED in broken(history)
    history.ordered = made().ordered
    assert reign.LED not in broken(history)
