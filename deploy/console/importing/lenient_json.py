"""JSON as people keep it: with `//` and `/* */` comments, commas before brackets, and a byte order mark. Pure."""

import json
import re
from typing import Any

_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[\]}])', re.DOTALL)


def read_json(text: str) -> Any:
    """What it says. Raises ValueError with the line of the first mistake."""
    # What is left out becomes blank, so that lines and columns stay those of the file.
    plain = _TOKEN.sub(lambda found: found[0] if found[0][0] == '"' else _blank(found[0]), text.removeprefix("\ufeff"))
    try:
        return json.loads(plain)
    except json.JSONDecodeError as error:
        message = f"line {error.lineno} is no JSON: {error.msg}"
        raise ValueError(message) from error
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
