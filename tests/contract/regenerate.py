"""Writes the snapshots of the message schemas anew: `python -m tests.contract.regenerate`.

Do it after a change of `shared/messages.py` that is meant, and read the difference: a field that goes or changes its
type breaks services that are one version older.
"""

import json
from pathlib import Path

from shared.messages import Message
from shared.topics import TOPICS

DIRECTORY = Path(__file__).parent / "schemas"


def schemas() -> dict[str, str]:
    """The schema of each model that travels, by file name."""
    models: set[type[Message]] = {topic.model for topic in TOPICS}
    return {
        f"{model.__name__}.json": json.dumps(model.model_json_schema(), indent=2, sort_keys=True) + "\n"
        for model in models
    }


def main() -> None:
    DIRECTORY.mkdir(exist_ok=True)
    for old in DIRECTORY.glob("*.json"):
        old.unlink()
    for name, text in schemas().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
