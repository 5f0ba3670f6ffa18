"""How a command ends, and how it says so: for people line by line, for machines as one JSON document."""

import json
import sys
from collections.abc import Mapping
from typing import Any

FINE, WRONG, BAD_INPUT = 0, 1, 2


class Teller:
    """Steps go to standard error when the answer is JSON, so that standard output can be parsed."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.said: list[str] = []

    def say(self, line: str) -> None:
        """A step, as it happens."""
        self.said.append(line)
        out = sys.stderr if self.as_json else sys.stdout
        out.write(f"{line}\n")
        out.flush()

    def answer(self, document: Mapping[str, Any]) -> None:
        """The whole answer, for machines alone."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=1) + "\n")
            sys.stdout.flush()
