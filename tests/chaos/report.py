"""What a chaos run has shown, for people and for programs."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from tests.chaos.checker import Spread, Verdict
from tests.chaos.history import History

SHOWN_EACH = 5
"""So many breaks of one promise are told in full: the rest is in the JSON."""
_BAR = 40

_HISTORY: TypeAdapter[History] = TypeAdapter(History)


def save_history(history: History, file: Path) -> None:
    """So that it can be looked at, and checked, again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_HISTORY.dump_json(history))


def load_history(file: Path) -> History:
    """Raises OSError, and ValueError for what is no history."""
    return _HISTORY.validate_json(file.read_bytes())


def as_json(history: History, verdict: Verdict) -> str:
    """Everything but the history itself."""
    found = {
        "seed": history.seed,
        "seconds": history.seconds,
        "miners": len(history.cast.miners),
        "replicas": {service: len(names) for service, names in history.cast.replicas.items()},
        "times": asdict(history.times),
        "troubles": troubles(history),
        **asdict(verdict),
    }
    return json.dumps(found, indent=2)


def troubles(history: History) -> dict[str, int]:
    """How often each kind was carried out."""
    return dict(sorted(Counter(str(one.blow) for one in history.done).items()))


def as_text(history: History, verdict: Verdict) -> list[str]:
    """The whole report, line by line."""
    replicas = ", ".join(f"{len(names)} {service}" for service, names in history.cast.replicas.items())
    counted = ", ".join(f"{name} {count}" for name, count in troubles(history).items()) or "none"
    lines = [
        (
            f"Chaos of {history.seconds:.0f} s and {history.calm_seconds:.0f} s of calm; seed {history.seed}; "
            f"{len(history.cast.miners)} miners; {replicas}."
        ),
        f"Troubles: {counted}.",
        f"The miners obeyed {verdict.starts} starts and {verdict.stops} stops.",
        "",
        *_promises(verdict),
        "",
        *_spread(
            "Engines one after the other; seconds after the end of the presence of the old one", verdict.takeovers
        ),
        *_spread("Devices of a killed agent; seconds until they are tended again", verdict.tended_after_kills),
        *_spread(
            "Devices of an agent that fell silent; seconds until they are tended again", verdict.tended_after_silence
        ),
    ]
    if verdict.shares_of_joiners:
        shares = ", ".join(f"{100 * share:.0f} %" for share in verdict.shares_of_joiners)
        lines.append(f"Share of the devices that each replica that joined has got: {shares}.")
    return [*lines, "", *_growth(verdict)]


def _promises(verdict: Verdict) -> list[str]:
    lines: list[str] = []
    for promise, count in verdict.kept.items():
        lines.append(f"{'kept  ' if not count else 'BROKEN'}  {promise}{f': {count} times' if count else ''}")
        told = [one for one in verdict.broken if one.rule == promise]
        lines += [f"        {one.at:7.1f} s  {one.sentence}" for one in told[:SHOWN_EACH]]
        if count > SHOWN_EACH:
            lines.append(f"        and {count - SHOWN_EACH} more, in the JSON")
    return lines


def _spread(title: str, spread: Spread) -> list[str]:
    if not spread.count:
        return []
    head = f"{title}: {spread.count} times, {spread.shortest:g} to {spread.longest:g}, median {spread.median:g}."
    return [head, *_histogram(spread.all)]


def _histogram(seconds: Sequence[float]) -> list[str]:
    """One line per second."""
    counted = Counter(int(one // 1) for one in seconds)
    most = max(counted.values())
    return [
        f"  {second:4d} to {second + 1:3d} s  {count:4d}  {'#' * max(1, round(_BAR * count / most))}"
        for second, count in sorted(counted.items())
    ]


def _growth(verdict: Verdict) -> list[str]:
    lines = [
        "Per process, early in the chaos and after it: memory in MB (what is no file's; PSS), threads, descriptors."
    ]
    for one in verdict.growth:
        pairs = (one.own_mb, one.pss_mb, one.threads, one.descriptors)
        lines.append(f"  {one.service:14}" + "".join(f"{before:9g} → {after:g}" for before, after in pairs))
    return lines if verdict.growth else []
