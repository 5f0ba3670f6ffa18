"""How findings look on a terminal, and how far a search has come."""

import sys
from collections.abc import Iterable

from deploy.console.finding.finding import Finding
from deploy.console.finding.miners import Searched, plain, shown_address
from deploy.terminal import Terminal

_MARKS = {True: "ok   ", False: "WRONG"}


class Progress:
    """One line that is written over, on a terminal; elsewhere nothing."""

    def __init__(self) -> None:
        terminal = Terminal(sys.stderr)
        self._terminal = terminal if terminal.writes_over else None
        self._last = ""

    def searched(self, settled: int, of: int, found: int) -> None:
        """How many addresses are settled, of how many, and how many miners that brought."""
        self._show(f"{settled} of {of} addresses, {found} miners found")

    def looked(self, done: int, of: int) -> None:
        """How many things have been looked at."""
        self._show(f"{done} of {of} looked at")

    def end(self) -> None:
        """Wipes the line."""
        if self._terminal is not None and self._last:
            self._terminal.show("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _show(self, text: str) -> None:
        if self._terminal is not None and text != self._last:
            self._last = text
            self._terminal.show(text)


def findings_shown(findings: Iterable[Finding]) -> str:
    """One line for each, and below it what to do where something is wrong."""
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.is_fine]}  {finding.kind} {plain(finding.name)}: {finding.said}")
        if finding.fix:
            lines.append(f"       Fix: {finding.fix}.")
    return "".join(f"{line}\n" for line in lines)


def searched_shown(searched: Searched) -> str:
    """What a search came to beside the miners themselves."""
    miners = f"{len(searched.found)} miner{'' if len(searched.found) == 1 else 's'}"
    lines = [f"{miners} on {searched.asked} addresses in {searched.seconds:.2f} s."]
    if searched.others:
        lines.append(
            f"{searched.others} other web server{'' if searched.others == 1 else 's'}: neither VNish nor AxeOS."
        )
    if searched.mute:
        where = ", ".join(shown_address(address) for address in searched.mute)
        lines.append(f"Unknown: {where}: takes connections and does not answer. Fix: search once more, or restart it.")
    if searched.not_asked:
        count = len(searched.not_asked)
        lines.append(
            f"Unknown: {count} addresses from {searched.not_asked[0]} could not be asked by this machine. "
            "Fix: is it in that network? Search fewer at once."
        )
    if not searched.found and searched.is_whole:
        lines.append("Fix: are the miners on, in this subnet, and not kept apart (guest network, client isolation)?")
    return "".join(f"{line}\n" for line in lines)
