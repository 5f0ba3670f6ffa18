"""Writes the snapshots of what `--json` answers anew: `python -m tests.contract.console_json`.

Do it after a change that is meant, and read the difference: a key that goes or changes its type breaks the scripts of
those who read it.
"""

import json
from pathlib import Path

from deploy.console.view.explained import Explanation
from deploy.console.view.happening import Happening
from deploy.console.view.seen import FarmSeen, Shown

DIRECTORY = Path(__file__).parent / "console_schemas"
ANSWERS: dict[str, type[Shown]] = {"status": FarmSeen, "explain": Explanation, "watch": Happening}


def schemas() -> dict[str, str]:
    """The schema of each command's answer, by file name."""
    return {
        f"{command}.json": json.dumps(model.model_json_schema(mode="serialization"), indent=2, sort_keys=True) + "\n"
        for command, model in ANSWERS.items()
    }


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
