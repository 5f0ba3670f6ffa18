"""Runs `sunherd status` and `sunherd explain`: listens, and shows what was heard."""

import sys

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from deploy.console.ear import STATUS_TOPICS, Ear
from deploy.console.given import Given
from deploy.console.names import checked
from deploy.console.said import write_down
from deploy.console.screen import can_repaint, screen, show, width_of_terminal
from deploy.console.trouble import EXIT_BAD_INPUT, EXIT_WRONG
from deploy.console.view.explanation import explanation_of
from deploy.console.view.explanation_text import explanation_text
from deploy.console.view.look import farm_seen
from deploy.console.view.picture import Picture
from deploy.console.view.seen import FarmSeen
from deploy.console.view.table import Look, table
from deploy.console.view.totals import total_line
from shared.topics import GROUP_CHOICE, GROUP_OVERRIDE, MINER_CHOICE, MINER_OVERRIDE, MINER_POOL

_EXPLAIN_TOPICS = (*STATUS_TOPICS, MINER_OVERRIDE, GROUP_OVERRIDE, MINER_CHOICE, GROUP_CHOICE, MINER_POOL)
_ANEW_SECONDS = 1.0
_ANEW_PLAIN_SECONDS = 10.0
"""Where the last page cannot be written over."""
NOBODY = (
    "no service of this farm has been heard: what is shown is only what the broker remembers. "
    "Fix: is the farm running (sunherd up, make up)?\n"
)


def run_status(given: Given, names: list[str] | None, *, watching: bool, as_json: bool, unfold: bool) -> int:
    """The exit code. Raises TroubleError, FarmFileError, and OSError for a farm file that cannot be read."""
    with Ear(given) as ear:
        chosen = checked(names, ear.facts.miners, tuple(ear.facts.groups))
        picture = ear.hear_everybody(ear.facts.members_of(chosen))
        page = _Page(Look(ear.facts.zone, width_of_terminal(), folds=not unfold), as_json=as_json)
        if watching:
            return page.stay(ear, chosen)
        farm = farm_seen(picture, chosen)
        page.print(farm)
        return _verdict(picture, farm)


def run_explain(given: Given, miner: str, *, as_json: bool) -> int:
    """The exit code. Raises TroubleError, FarmFileError, and OSError for a farm file that cannot be read."""
    with Ear(given, _EXPLAIN_TOPICS) as ear:
        checked([miner], ear.facts.miners)
        picture = ear.hear_everybody((miner,))
        told = explanation_of(picture, miner)
        if as_json:
            _write_json(told.model_dump_json(indent=2))
        else:
            show(screen(), explanation_text(told, ear.facts.zone, width_of_terminal()))
        write_down(f"{told.miner.status.label}: {told.miner.why}", miner)
        return _nobody() if not picture.is_anybody_there() else 0


class _Page:
    """What `status` puts on the screen."""

    def __init__(self, look: Look, *, as_json: bool) -> None:
        self._look = look
        self._as_json = as_json
        self._console: Console = screen()

    def print(self, farm: FarmSeen) -> None:
        """Once, for good."""
        if self._as_json:
            _write_json(farm.model_dump_json(indent=2))
        else:
            show(self._console, table(farm, self._look))
        for miner in farm.miners:
            write_down(f"{miner.status.label}: {miner.why}", miner.name)
        write_down(total_line(farm.total))

    def stay(self, ear: Ear, names: tuple[str, ...]) -> int:
        """Until Ctrl-C; the last page is left standing, and its verdict is the exit code."""
        try:
            if can_repaint() and not self._as_json:
                self._repaint(ear, names)
            else:
                self._repeat(ear, names)
        except KeyboardInterrupt:
            pass
        picture = ear.picture()
        farm = farm_seen(picture, names)
        if can_repaint() and not self._as_json:
            self.print(farm)
        return _verdict(picture, farm)

    def _repaint(self, ear: Ear, names: tuple[str, ...]) -> None:
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            while True:
                look = Look(self._look.zone, width_of_terminal(), self._look.folds)
                live.update(Group(*table(farm_seen(ear.picture(), names), look)), refresh=True)
                ear.line.listen(_ANEW_SECONDS)

    def _repeat(self, ear: Ear, names: tuple[str, ...]) -> None:
        while True:
            farm = farm_seen(ear.picture(), names)
            if self._as_json:
                _write_json(farm.model_dump_json())
            else:
                show(self._console, [*table(farm, self._look), Text()])
                sys.stdout.flush()
            ear.line.listen(_ANEW_PLAIN_SECONDS)


def _verdict(picture: Picture, farm: FarmSeen) -> int:
    if not picture.is_anybody_there():
        return _nobody()
    return EXIT_WRONG if farm.needs_a_person else 0


def _nobody() -> int:
    sys.stderr.write(NOBODY)
    return EXIT_BAD_INPUT


def _write_json(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
