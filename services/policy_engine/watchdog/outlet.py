"""What the outlet of a miner shall be: its switch where it has no other, else on but for good reasons. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.policy_engine.explain import Term, renewal_is_due
from services.policy_engine.ledger import GIVES_BACK
from services.policy_engine.memory import NOT_READ
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.witnesses import Word, is_heard, watts_say
from services.policy_engine.wording import span
from shared.messages import CYCLE_YOUNG_SECONDS, Action, MinerCommand, MinerState, PlugCommand

STOPS_WITHIN = timedelta(minutes=5)
"""A sound miner has stopped long before that; what has not is cut off."""
_YOUNG = timedelta(seconds=CYCLE_YOUNG_SECONDS)


@dataclass(frozen=True)
class _Wish:
    on: bool
    code: str
    sentence: str
    is_known: bool = True
    """False: nothing is asked of the outlet, it is only read."""


def outlet_command(
    view: MinerView, miner: MinerId, command: MinerCommand, rules: Rules, now: datetime, term: Term
) -> PlugCommand | None:
    """The command to a miner's outlet that goes with the miner's own; None where it has no outlet."""
    watch = rules.miners[miner].watch
    if not watch.has_plug:
        return None
    wish = _as_switch(view, command) if watch.is_plug else _as_feed(view, miner, command, rules, now)
    action = command.action
    if command.code == NOT_READ and not rules.miners[miner].observe:
        action = Action.APPLY
    if not wish.is_known:
        action = Action.OBSERVE
    care, last = command.care, view.outlet
    young = rules.at_least(_YOUNG, 5)
    cycle_at = None if care is None or care.cycle_at is None or now - care.cycle_at > young else care.cycle_at
    return PlugCommand(
        at=now,
        engine=term.engine,
        epoch=term.epoch,
        expires_at=now + term.lease,
        action=action,
        suspended_until=command.suspended_until,
        on=wish.on,
        cycle_at=cycle_at if wish.on else None,
        off_seconds=watch.off_for.total_seconds(),
        code=wish.code,
        sentence=wish.sentence,
        since=last.since if last is not None and last.on == wish.on else now,
        outside_off_over=command.outside_pause_over,
    )


def is_outlet_news(last: PlugCommand | None, fresh: PlugCommand, miner: MinerId) -> bool:
    """Whether it says something else than the last one, or its lease is half over."""
    return last is None or _meaning(last) != _meaning(fresh) or renewal_is_due(last, fresh.at, miner)


def _meaning(command: PlugCommand) -> tuple[object, ...]:
    return (
        command.engine,
        command.epoch,
        command.action,
        command.suspended_until,
        command.on,
        command.cycle_at,
        command.off_seconds,
        command.code,
        command.outside_off_over,
    )


def _as_switch(view: MinerView, command: MinerCommand) -> _Wish:
    """A machine without an interface: the outlet is its switch."""
    if command.code == NOT_READ:
        return _only_read(view)
    return _Wish(not command.point.is_pause, command.code, command.sentence)


def _as_feed(view: MinerView, miner: MinerId, command: MinerCommand, rules: Rules, now: datetime) -> _Wish:
    """A miner that is stopped by its own interface: its outlet stays on, unless power has to be cut."""
    if not command.point.is_pause:
        return _Wish(on=True, code="feeds", sentence="it shall hash")
    is_off = view.plug is not None and view.plug.on is False
    if not _must_be_paused(command):
        # Without power it cannot be read, and what cannot be read is not started: who cut it gives it back.
        if view.is_cut:
            return _Wish(on=True, code=GIVES_BACK, sentence="it may hash again")
        meant = command.hashing_since is not None
        return _Wish(on=True, code="feeds", sentence="it may hash") if meant else _only_read(view)
    if (is_off and not _is_cycled_while_paused(view, command)) or (view.is_cut and view.plug is None):
        return _Wish(
            on=False, code="stays_off", sentence=f"it stays without power while it is paused: {command.sentence}"
        )
    cause = _cause_to_cut(view, miner, command, rules, now)
    if cause is not None:
        return cause
    return _Wish(on=True, code="feeds", sentence="it is paused by its own interface")


def _is_cycled_while_paused(view: MinerView, command: MinerCommand) -> bool:
    """Whether a person has had the power of a paused miner cycled, and it is off for that alone."""
    plug, care, since = view.plug, command.care, command.paused_since
    if plug is None or plug.cycle_off_since is None or care is None or care.cycle_at is None or since is None:
        return False
    return care.cycle_at >= since


def _only_read(view: MinerView) -> _Wish:
    on = view.plug is not None and view.plug.on is True
    return _Wish(on, "not_read", "nothing is asked of the outlet while the miner is only watched", is_known=False)


def _must_be_paused(command: MinerCommand) -> bool:
    return any(limit.ceiling_w == 0 for limit in command.limits)


def _cause_to_cut(view: MinerView, miner: MinerId, command: MinerCommand, rules: Rules, now: datetime) -> _Wish | None:
    told, since = view.telemetry, command.paused_since
    heard = told is not None and view.heard_at is not None and now - view.heard_at <= rules.heard_within
    if told is not None and heard and told.reachable and told.state is MinerState.PAUSED:
        return _cooled(told.chip_temperature_celsius, rules.miners[miner].watch.cut_below_celsius)
    if (
        since is None
        or now - since < rules.at_least(STOPS_WITHIN, 5)
        or command.code == NOT_READ
        or not is_heard(view, rules, now)
    ):
        return None
    if view.paused_read_at is not None and view.paused_read_at >= since:
        return None  # it was seen to stop; that it cannot be read any more is another matter
    meter = watts_say(view, rules, miner, now)
    if meter.word is Word.DEAD:
        return None
    sentence = f"it has been told to pause for {span(now - since)}, and nobody has seen it stop: {command.sentence}"
    return _Wish(on=False, code="does_not_stop", sentence=sentence)


def _cooled(chip_celsius: float | None, cut_below_celsius: float | None) -> _Wish | None:
    """Its fans need the power until it has cooled down; a temperature that is not known is not cool."""
    if chip_celsius is None or cut_below_celsius is None or chip_celsius > cut_below_celsius:
        return None
    sentence = f"it is paused and has cooled down to {chip_celsius:g} °C"
    return _Wish(on=False, code="cooled_down", sentence=sentence)
