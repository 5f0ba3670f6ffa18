"""What people have chosen instead of the farm file: what of it is sound, and the rules that come of it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from services.policy_engine.rules import GroupId, GroupRules, Instead, MinerId, MinerRules, Rules
from services.policy_engine.wording import plain
from shared.ladder import point_named
from shared.messages import Choice, Ladder, Message, Request
from shared.topics import GROUP_CHOICE, MINER_CHOICE, Topic

BAND, MAX_W, POINT = ("stop_soc", "resume_soc"), "max_w", "point"
MINER_KEYS = (*BAND, MAX_W, POINT)
GROUP_KEYS = (MAX_W,)
_WATTS_MAX = 1_000_000
_PERCENT_MAX = 100
_NAME_LENGTH_MAX = 64
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Choices:
    """All that is known of them. One without any value says that nothing is chosen any more, and since when."""

    miners: Mapping[MinerId, Choice] = field(default_factory=dict)
    groups: Mapping[GroupId, Choice] = field(default_factory=dict)

    def of(self, topic: Topic[Any], identifier: str) -> Choice | None:
        """What is known of one id on this topic."""
        return (self.miners if topic is MINER_CHOICE else self.groups).get(identifier)


@dataclass(frozen=True)
class Refusal:
    """Why something is not done, for people."""

    sentence: str


@dataclass(frozen=True)
class Unsound:
    """A choice that does not fit the farm file any more: it is kept, and not applied."""

    topic: Topic[Choice]
    identifier: str
    key: str
    sentence: str


def is_empty(choice: Choice | None) -> bool:
    """Whether it takes everything from the farm file."""
    return choice is None or all(getattr(choice, key) is None for key in MINER_KEYS)


def choices_after(
    choices: Choices, topic: Topic[Any], identifier: str, message: Message | None, received_at: datetime
) -> Choices:
    """What is known after a message on one of their topics; None: the topic was cleared."""
    known = choices.of(topic, identifier)
    fresh = message if isinstance(message, Choice) else Choice(at=received_at)
    if fresh == known or (known is None and is_empty(fresh)):
        return choices
    if topic is GROUP_CHOICE:
        return replace(choices, groups={**choices.groups, identifier: fresh})
    return replace(choices, miners={**choices.miners, identifier: fresh})


# --- the rules that come of them


def rules_with(rules: Rules, choices: Choices) -> Rules:
    """The farm file's rules with every sound choice above them. A choice never lifts a cap that the file sets."""
    miners = {
        name: _miner_with(rules.miners[name], choice)
        for name, choice in choices.miners.items()
        if name in rules.miners and not is_empty(choice)
    }
    groups = {
        name: _group_with(rules.groups[name], choice)
        for name, choice in choices.groups.items()
        if name in rules.groups and not is_empty(choice)
    }
    if not miners and not groups:
        return rules
    return replace(rules, miners={**rules.miners, **miners}, groups={**rules.groups, **groups})


def unsound(rules: Rules, choices: Choices, ladders: Mapping[MinerId, Ladder]) -> Iterator[Unsound]:
    """What of them is not applied. `ladders`: as far as they are known."""
    for name, choice in choices.miners.items():
        if name in rules.miners:
            for key, sentence in _found(choice, rules.miners[name], ladders.get(name)):
                yield Unsound(MINER_CHOICE, name, key, sentence)
    for name, choice in choices.groups.items():
        if name in rules.groups:
            for key, sentence in _found(choice, rules.groups[name], None):
                yield Unsound(GROUP_CHOICE, name, key, sentence)


def _miner_with(file: MinerRules, choice: Choice) -> MinerRules:
    chosen: dict[str, Instead] = {}
    found: dict[str, Any] = {}
    if about_band(choice, file) is None:
        for key, name in zip(BAND, ("stop_percent", "resume_percent"), strict=True):
            value, said = getattr(choice, key), getattr(file, name)
            if value is not None and value != said:
                found[name], chosen[key] = value, Instead(plain(choice.by), said)
    if choice.max_w is not None and choice.max_w != file.max_w and about_cap(choice.max_w, file.max_w) is None:
        found[MAX_W], chosen[MAX_W] = choice.max_w, Instead(plain(choice.by), file.max_w)
    if choice.point is not None:
        found[POINT], chosen[POINT] = choice.point, Instead(plain(choice.by))
    return replace(file, **found, chosen=chosen)


def _group_with(file: GroupRules, choice: Choice) -> GroupRules:
    if choice.max_w is None or choice.max_w == file.max_w or about_cap(choice.max_w, file.max_w) is not None:
        return file
    return replace(file, max_w=choice.max_w, chosen=Instead(plain(choice.by), file.max_w))


# --- what is wrong with one


def about_band(choice: Choice, file: MinerRules) -> str | None:
    """What is wrong with the band that comes of a choice and the farm file, and the fix; None: nothing."""
    if choice.stop_soc is None and choice.resume_soc is None:
        return None
    if file.stop_percent is None or file.resume_percent is None:
        return (
            "the battery does not govern this miner, so there is no band to choose. "
            "Fix: give it stop_soc and resume_soc in the farm file"
        )
    stop = file.stop_percent if choice.stop_soc is None else choice.stop_soc
    resume = file.resume_percent if choice.resume_soc is None else choice.resume_soc
    if stop < resume:
        return None
    return (
        f"stop_soc {stop:g} must be below resume_soc {resume:g}. "
        "Fix: choose both in one request, with room between the two"
    )


def about_cap(max_w: float, file_w: float | None) -> str | None:
    """What is wrong with a power limit, and the fix. The farm file's own is what the wiring bears: never lifted."""
    if not 0 < max_w <= _WATTS_MAX:
        return f"max_w {max_w:g} is no power limit. Fix: choose more than 0 W and at most {_WATTS_MAX} W"
    if file_w is not None and max_w > file_w:
        return (
            f"max_w {max_w:g} is above the {file_w:g} W of the farm file. "
            f"Fix: choose at most {file_w:g} W, or change the farm file"
        )
    return None


def about_point(point: str, ladder: Ladder | None) -> str | None:
    """What is wrong with a chosen point, and the fix; None also while nobody knows what the miner can hold."""
    if ladder is None:
        return None
    names = ", ".join(each.name for each in ladder.points if not each.is_pause)
    found = point_named(ladder, point)
    if found is None:
        return f"it has no operating point {plain(point)!r}. Fix: choose one of {names or 'none at all'}"
    if found.is_pause:
        return f"{plain(point)} is a pause, and no setting. Fix: pause it, or choose one of {names or 'none at all'}"
    return None


def _complaints(choice: Choice, file: MinerRules, ladder: Ladder | None) -> Iterator[tuple[str, str]]:
    found = (
        (BAND[0], about_band(choice, file)),
        (MAX_W, None if choice.max_w is None else about_cap(choice.max_w, file.max_w)),
        (POINT, None if choice.point is None else about_point(choice.point, ladder)),
    )
    yield from ((key, complaint) for key, complaint in found if complaint is not None)


# --- what a request makes of one


def choice_by(
    request: Request, known: Choice | None, file: MinerRules | GroupRules, ladder: Ladder | None, now: datetime
) -> Choice | Refusal:
    """The choice after a request, each named key of it checked; later by its date than all before it."""
    keys = MINER_KEYS if isinstance(file, MinerRules) else GROUP_KEYS
    refusal = _about_keys(request, keys)
    if refusal is not None:
        return Refusal(refusal)
    asked = {key: _value(key, value) for key, value in request.choose.items()}
    kept = {key: None if known is None else getattr(known, key) for key in keys}
    values = {key: None if value == _in_file(key, file) else value for key, value in {**kept, **asked}.items()}
    at = now if known is None else max(now, known.at + _TICK)
    choice = Choice.model_validate({"at": at, "by": plain(request.by), **values})
    # Only what is asked for is judged: what was chosen before, and is unsound by now, stands in nobody's way.
    named = {BAND[0] if key in BAND else key for key in asked}
    complaint = next((sentence for key, sentence in _found(choice, file, ladder) if key in named), None)
    return choice if complaint is None else Refusal(complaint)


def _found(choice: Choice, file: MinerRules | GroupRules, ladder: Ladder | None) -> Iterator[tuple[str, str]]:
    if isinstance(file, MinerRules):
        yield from _complaints(choice, file, ladder)
    elif choice.max_w is not None and (complaint := about_cap(choice.max_w, file.max_w)) is not None:
        yield MAX_W, complaint


def _about_keys(request: Request, keys: tuple[str, ...]) -> str | None:
    if not request.choose:
        return f"it names nothing to choose. Fix: name one of {', '.join(keys)}"
    for key, value in request.choose.items():
        if key not in keys:
            return f"{key} cannot be chosen here. Fix: choose one of {', '.join(keys)}"
        if value is not None and (complaint := _about_value(key, value)) is not None:
            return complaint
    return None


def _about_value(key: str, value: object) -> str | None:
    if key == POINT:
        named = isinstance(value, str) and 0 < len(value) <= _NAME_LENGTH_MAX and value.isprintable()
        return None if named else "point must be the name of an operating point. Fix: copy it as the miner tells it"
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return f"{key} must be a number. Fix: give one without its unit, or null to go back to the farm file"
    if key in BAND and not 0 <= value <= _PERCENT_MAX:
        return f"{key} {value:g} is no state of charge. Fix: choose from 0 to {_PERCENT_MAX}"
    return about_cap(value, None) if key == MAX_W else None


def _value(key: str, value: object) -> object:
    return float(value) if key != POINT and isinstance(value, int | float) else value


def _in_file(key: str, file: MinerRules | GroupRules) -> object:
    names = {"stop_soc": "stop_percent", "resume_soc": "resume_percent", MAX_W: MAX_W}
    return getattr(file, names[key]) if key in names else None
