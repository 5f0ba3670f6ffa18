"""Questions on a terminal: each with a line that explains it, and a default. Without a terminal nothing is asked."""

from collections.abc import Callable
from typing import TypeVar

import typer

from deploy.console.trouble import TroubleError

T = TypeVar("T")


class Asker:
    """Asks where `asks`; else takes what was given by options, and the defaults."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks

    def ask(
        self, question: str, why: str, option: str, given: str | None, default: str, parse: Callable[[str], T]
    ) -> T:
        """The answer as `parse` makes it, which raises ValueError or TroubleError for one that will not do.

        What was `given` by an option is not asked for. Raises TroubleError where nobody can be asked again.
        """
        if given is not None or not self.asks:
            return _parsed(default if given is None else given, option, parse)
        typer.echo(f"\n{why}")
        while True:
            try:
                return parse(str(typer.prompt(question, default=default, show_default=bool(default))).strip())
            except (ValueError, TroubleError) as error:
                typer.echo(f"  {error}")

    def secret(self, question: str, why: str) -> str:
        """A secret that is not shown while it is typed; empty where nobody can be asked."""
        if not self.asks:
            return ""
        typer.echo(f"\n{why}")
        return str(typer.prompt(question, default="", hide_input=True, show_default=False))

    def confirmed(self, question: str, *, default: bool) -> bool:
        """Yes or no; the default where nobody can be asked."""
        return bool(typer.confirm(f"\n{question}", default=default)) if self.asks else default

    def say(self, text: str) -> None:
        """Tells how far it has come."""
        typer.echo(text)


def _parsed(text: str, option: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text.strip())
    except ValueError as error:
        message = f"{option} {text}: {error}"
        raise TroubleError(message) from None
