"""Overrides: says them, and tells what has come of each miner once the engine has taken them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.console.line import Line
from deploy.console.targets import Target
from deploy.console.trouble import EXIT_WRONG, TroubleError
from shared.messages import Action, Limit, MinerCommand, MinerState, MinerTelemetry, Override, OverrideKind
from shared.topics import GROUP_OVERRIDE, MINER_COMMAND, MINER_OVERRIDE, MINER_TELEMETRY, Topic

ECHO_SECONDS = 5.0
TAKEN_UP_SECONDS = 10.0
_MATCH_SECONDS = 3.0
"""After that any new decision counts: something stricter may stand in place of what was said."""
HEARD = (MINER_OVERRIDE, GROUP_OVERRIDE, MINER_COMMAND, MINER_TELEMETRY)
_POLICY = "override"
_CODES = {
    OverrideKind.AUTOMATIC: "automatic",
    OverrideKind.PAUSE: "paused_by_person",
    OverrideKind.FORCE_ON: "force_on",
    OverrideKind.MAINTENANCE: "maintenance",
}
_WITHOUT_END = frozenset({OverrideKind.AUTOMATIC})


@dataclass(frozen=True)
class Upshot:
    """What has come of one miner. `taken_up`: by an engine in charge."""

    miner: str
    sentence: str
    taken_up: bool


def override(
    line: Line, targets: Sequence[Target], said: Override, members: Mapping[str, Sequence[str]]
) -> list[Upshot]:
    """Says it of each, waits for the broker's echo and then for the engine. Raises TroubleError without an echo.

    `members`: the miners of each group, as far as they are known.
    """
    say(line, targets, said, ECHO_SECONDS)
    since = line.clock.now()
    miners = dict.fromkeys(
        miner for target in targets for miner in (members.get(target.name, ()) if target.is_group else [target.name])
    )
    line.listen(_MATCH_SECONDS, lambda: all(_shows(line, miner, said) for miner in miners))
    line.listen(
        TAKEN_UP_SECONDS - _MATCH_SECONDS, lambda: all(_is_taken_up(line, miner, said, since) for miner in miners)
    )
    return [_upshot(line, miner, taken_up=_is_taken_up(line, miner, said, since)) for miner in miners]


def say(line: Line, targets: Sequence[Target], said: Override, seconds: float) -> None:
    """Publishes it. Raises TroubleError where the broker does not give it back."""
    for target in targets:
        line.say(_topic(target), target.name, said)

    def missing() -> list[str]:
        return [target.name for target in targets if line.word(_topic(target), target.name) != said]

    if not line.listen(seconds, lambda: not missing()):
        message = (
            f"The broker has not given back what was said of {', '.join(missing())} within {seconds:g} s: nothing is "
            "proven. Fix: say it again; if that does not help, look at the broker's log."
        )
        raise TroubleError(message, exit_code=EXIT_WRONG)


def wanted(
    kind: OverrideKind, now: datetime, by: str, lasts: timedelta | None, reason: str, max_w: float | None = None
) -> Override:
    """The message. Raises TroubleError where something is missing that this kind needs, or too much was said."""
    if kind is OverrideKind.FORCE_ON and lasts is None:
        message = "Force silences the battery rule and must end. Fix: say for how long, such as --for 1h."
        raise TroubleError(message)
    if kind is OverrideKind.LIMIT and max_w is None:
        message = "A limit needs a number. Fix: say how many watts at most, such as --watts 800."
        raise TroubleError(message)
    if kind is not OverrideKind.LIMIT and max_w is not None:
        message = "--watts belongs to a limit. Fix: leave it out, or say limit."
        raise TroubleError(message)
    if kind in _WITHOUT_END and lasts is not None:
        message = "Automatic has no end. Fix: leave --for out."
        raise TroubleError(message)
    try:
        until = None if lasts is None else now + lasts
    except OverflowError as error:
        message = "That is longer than any calendar. Fix: leave --for out for no end."
        raise TroubleError(message) from error
    return Override(at=now, kind=kind, by=by, until=until, reason=reason, max_w=max_w)


def _topic(target: Target) -> Topic[Override]:
    return GROUP_OVERRIDE if target.is_group else MINER_OVERRIDE


def _shows(line: Line, miner: str, said: Override) -> bool:
    """Whether the miner's standing command has been decided with what was said."""
    command = line.word(MINER_COMMAND, miner)
    if command is None or command.expires_at <= line.clock.now():
        return False
    return any(_is_of(limit, said) for limit in command.limits)


def _is_of(limit: Limit, said: Override) -> bool:
    mine = limit.policy == _POLICY
    if said.kind is OverrideKind.LIMIT:
        mine = mine or limit.numbers.get("by") == said.by  # of a group it may be shared out by another rule
        return mine and limit.code not in _CODES.values() and limit.ceiling_w is not None
    if not mine or said.kind is OverrideKind.AUTOMATIC:
        return mine and limit.code == _CODES[said.kind]
    # Maintenance without an end gets one from the engine.
    ends = _ends(limit) == said.until or (said.kind is OverrideKind.MAINTENANCE and said.until is None)
    return limit.code == _CODES[said.kind] and limit.numbers.get("by") == said.by and ends


def _ends(limit: Limit) -> datetime | None:
    until = limit.numbers.get("until")
    return datetime.fromisoformat(until) if isinstance(until, str) else None


def _is_taken_up(line: Line, miner: str, said: Override, since: datetime) -> bool:
    received = line.latest.get((MINER_COMMAND, miner))
    new = received is not None and not received.retained and received.received_at >= since
    return new or _shows(line, miner, said)


def _upshot(line: Line, miner: str, *, taken_up: bool) -> Upshot:
    command, telemetry = line.word(MINER_COMMAND, miner), line.word(MINER_TELEMETRY, miner)
    if not taken_up or command is None:
        sentence = (
            f"the broker has it, and no engine has taken it up within {TAKEN_UP_SECONDS:g} s: nothing follows from it "
            "yet. Fix: is the engine running?"
        )
        return Upshot(miner, sentence, taken_up=False)
    return Upshot(miner, outcome(command, telemetry), taken_up=True)


def outcome(command: MinerCommand, telemetry: MinerTelemetry | None) -> str:
    """What has come of it, in a sentence."""
    state = None if telemetry is None or not telemetry.reachable else telemetry.state
    by_person = next((limit for limit in command.limits if limit.policy == _POLICY), None)
    sentence = command.sentence
    if by_person is not None and by_person.code != _CODES[OverrideKind.AUTOMATIC] and not command.point.is_pause:
        sentence = by_person.sentence
    if command.action is Action.MAINTENANCE:
        return f"{sentence}; it is left as it is: {state or 'not known'}"
    if command.action is Action.OBSERVE:
        return f"{sentence}; only watched, so nothing is done"
    if command.point.is_pause:
        return _of_pause(sentence, state)
    if state is None:
        return f"{sentence}; it is to hash, and does not answer"
    return f"{sentence}; {'starting' if state is MinerState.PAUSED else state}"


def _of_pause(sentence: str, state: MinerState | None) -> str:
    if state is None:
        return f"{sentence}; it is to pause, and does not answer"
    return f"stays paused: {sentence}" if state is MinerState.PAUSED else f"{sentence}; pausing"
