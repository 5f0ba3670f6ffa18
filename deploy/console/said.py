"""What a command has said, for the file that `--log-file` names. Without one it goes nowhere."""

import logging

SAID_LOG = "sunherd.said"
_log = logging.getLogger(SAID_LOG)


def write_down(text: str, name: str | None = None) -> None:
    """One line; with the seeds' `[name]` before it where it is about somebody."""
    _log.info("%s", text if name is None else f"[{name}] {text}")
