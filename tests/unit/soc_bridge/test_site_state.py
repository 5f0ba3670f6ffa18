"""What the bridge makes of what its source says."""

from datetime import UTC, datetime, timedelta

from services.soc_bridge.site_state import Quantity, Said, Silent, SiteState, StandsBy, Word, fold, recall, tell
from services.soc_bridge.values import Unknown
from shared.messages import SiteTelemetry, UnknownReason

START = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
GONE = Unknown(UnknownReason.UNAVAILABLE, "sensor.soc is unavailable")
AWAY = Silent(Unknown(UnknownReason.UNREACHABLE, "Nobody answers."))
SOC = Quantity.STATE_OF_CHARGE


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def site(*history: tuple[float, Word], before: SiteState | None = None) -> SiteState:
    state = before or SiteState("test")
    for minutes, word in history:
        state = fold(state, word, at(minutes))
    return state


def told(minutes: float, *history: tuple[float, Word]) -> SiteTelemetry:
    return tell(site(*history), at(minutes), LIMIT)


def test_nothing_heard_is_starting() -> None:
    assert told(0).unknown is UnknownReason.STARTING


def test_silence_from_the_start_says_whose_silence() -> None:
    telemetry = told(0, (0, AWAY))
    assert (telemetry.unknown, telemetry.detail) == (UnknownReason.UNREACHABLE, "Nobody answers.")


def test_the_value_stands_until_it_is_unconfirmed_for_too_long() -> None:
    history = ((0, Said(SOC, 80.0)),)
    assert told(5, *history).state_of_charge_percent == 80
    late = told(5.1, *history)
    assert late.unknown is UnknownReason.UNCONFIRMED
    assert late.confirmed_at == at(0)


def test_a_source_that_merely_does_not_answer_keeps_its_value_and_its_age() -> None:
    history = ((0, Said(SOC, 80.0)), (1, AWAY), (2, AWAY))
    early, late = told(4, *history), told(6, *history)
    assert (early.state_of_charge_percent, early.confirmed_at) == (80, at(0))
    assert (late.unknown, late.confirmed_at) == (UnknownReason.UNREACHABLE, at(0))


def test_a_source_that_takes_its_value_back_is_believed_at_once() -> None:
    telemetry = told(1, (0, Said(SOC, 80.0)), (1, Said(SOC, GONE)))
    assert telemetry.state_of_charge_percent is None
    assert telemetry.confirmed_at == at(0)


def test_a_sign_of_life_confirms_what_stands_and_not_what_was_taken_back() -> None:
    assert told(9, (0, Said(SOC, 80.0)), (8, StandsBy())).confirmed_at == at(8)
    back = told(9, (0, Said(SOC, 80.0)), (1, Said(SOC, GONE)), (8, StandsBy()))
    assert (back.unknown, back.confirmed_at) == (UnknownReason.UNAVAILABLE, at(0))


def test_an_answer_does_not_undo_what_was_pushed_since_it_was_asked_for() -> None:
    overtaken = Said(SOC, 80.0, asked_at=at(1))
    assert told(2, (0, Said(SOC, 80.0)), (1.5, Said(SOC, 70.0)), (2, overtaken)).state_of_charge_percent == 70
    assert told(2, (0, Said(SOC, 70.0)), (2, overtaken)).state_of_charge_percent == 80


def test_changed_at_moves_with_the_value_only() -> None:
    telemetry = told(4, (0, Said(SOC, 80.0)), (2, Said(SOC, 80.0)), (3, Said(SOC, GONE)), (4, Said(SOC, 80.0)))
    assert (telemetry.changed_at, telemetry.confirmed_at) == (at(0), at(4))
    assert told(2, (0, Said(SOC, 80.0)), (2, Said(SOC, 81.0))).changed_at == at(2)


def test_powers_age_like_the_rest() -> None:
    history = ((0, Said(SOC, 80.0)), (0, Said(Quantity.PV_POWER, 900.0)), (4, Said(SOC, 80.0)))
    assert told(4, *history).pv_w == 900
    late = told(6, *history)
    assert (late.state_of_charge_percent, late.pv_w) == (80, None)


def test_a_remembered_value_has_no_confirmation_and_does_not_last() -> None:
    history = ((0, Said(SOC, 80.0, confirms=False)),)
    assert (told(1, *history).state_of_charge_percent, told(1, *history).confirmed_at) == (80, None)
    assert told(6, *history).unknown is UnknownReason.UNCONFIRMED
    assert told(6, *history, (5, StandsBy())).confirmed_at == at(5)


def test_a_remembered_value_does_not_end_a_silence() -> None:
    assert site((0, AWAY), (1, Said(SOC, 80.0, confirms=False))).trouble is not None
    assert site((0, AWAY), (1, Said(SOC, 80.0))).trouble is None


def test_after_a_restart_the_last_word_keeps_its_age() -> None:
    last = told(1, (0, Said(SOC, 80.0)))
    again = recall(SiteState("test"), last, at(2))
    assert tell(again, at(2), LIMIT).state_of_charge_percent == 80
    assert tell(again, at(2), LIMIT).confirmed_at == at(0)
    assert tell(again, at(6), LIMIT).unknown is UnknownReason.UNCONFIRMED
    confirmed = site((7, Said(SOC, 80.0)), before=again)
    assert tell(confirmed, at(7), LIMIT).changed_at == at(0)


def test_memory_never_outdoes_what_was_heard_since() -> None:
    last = told(1, (0, Said(SOC, 80.0)))
    heard = site((2, Said(SOC, 60.0)))
    assert recall(heard, last, at(3)) == heard
    same = recall(site((2, Said(SOC, 80.0))), last, at(3))
    assert (same.of(SOC).confirmed_at, same.of(SOC).changed_at) == (at(2), at(0))


def test_memory_of_a_time_to_come_is_no_memory() -> None:
    last = told(61, (60, Said(SOC, 80.0)))
    assert recall(SiteState("test"), last, at(0)) == SiteState("test")


def test_memory_of_an_unknown_keeps_the_last_confirmation_only() -> None:
    last = told(2, (0, Said(SOC, 80.0)), (1, Said(SOC, GONE)))
    again = tell(recall(SiteState("test"), last, at(3)), at(3), LIMIT)
    assert (again.unknown, again.confirmed_at) == (UnknownReason.STARTING, at(0))
