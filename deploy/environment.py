"""Makes `.env` of `.env.example`, with a strong password for everybody who may log in at the broker: `make env`.

Nothing but the standard library: it runs before anything is installed. A value that is there is never changed.
"""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PASSWORD_PREFIX = "SUNHERD_BROKER_PASSWORD_"  # noqa: S105 - a name, no password
GROUP_VARIABLE = "SUNHERD_GID"
BROKER_ID = 1883
"""User and group of the broker in its container."""

_PASSWORD_BYTES = 24
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_NOTHING = {"", "''", '""'}


def merged(example: str, present: str, value_for: Callable[[str], str]) -> tuple[str, list[str], list[str]]:
    """The new text, the names that were given a value, and those that were added empty.

    Lines that are there stay as they are and where they are; what they lack is added below, with its explanation.
    """
    given: list[str] = []
    if not present.strip():
        lines = [_filled(line, value_for, given) for line in example.splitlines()]
        return "\n".join(lines) + "\n", given, [name for name, value in _assignments(lines) if value in _NOTHING]
    lines = [_filled(line, value_for, given) for line in present.splitlines()]
    added = [_filled(line, value_for, given) for line in _lacking(example, {name for name, _ in _assignments(lines)})]
    missing = [name for name, value in _assignments(added) if value in _NOTHING]
    return "\n".join([*lines, *added]) + "\n", given, missing


def _lacking(example: str, known: set[str]) -> list[str]:
    """The example's lines for names that are not known, each with the comment above it."""
    found: list[str] = []
    comment: list[str] = []
    for line in example.splitlines():
        name = _name_of(line)
        if name is None:
            comment = [*comment, line] if line.strip() else [""]
            continue
        if name not in known:
            found += [*comment, line]
        comment = []
    return found


def _assignments(lines: Sequence[str]) -> list[tuple[str, str]]:
    found = (_ASSIGNMENT.fullmatch(line) for line in lines)
    return [(match[1], match[2].strip()) for match in found if match]


def _name_of(line: str) -> str | None:
    match = _ASSIGNMENT.fullmatch(line)
    return match[1] if match else None


def _is_given(line: str) -> bool:
    return _assignments([line])[0][1] not in _NOTHING


def _filled(line: str, value_for: Callable[[str], str], given: list[str]) -> str:
    """The line with a value, where it has none and we have one to give."""
    name = _name_of(line)
    value = "" if name is None or _is_given(line) else value_for(name)
    if name is None or not value:
        return line
    given.append(name)
    return f"{name}={value}"


def value_for(name: str) -> str:
    """What we can give: a password of 192 random bits, the group of this user; nothing else."""
    if name.startswith(PASSWORD_PREFIX):
        return secrets.token_urlsafe(_PASSWORD_BYTES)
    # Root has no group of its own: its certificates' key belongs to the broker's user.
    return str(os.getgid() or BROKER_ID) if name == GROUP_VARIABLE else ""


def write_private(file: Path, text: str) -> None:
    """Replaces the file in one step, readable for its owner alone, from its first byte on."""
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """`make env`."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.environment",
        description="Makes .env with a strong random password for everybody who may log in at the bundled broker. "
        "What is there is never changed; what is missing is added. No password is shown.",
        epilog="A new password for somebody: delete the line in .env, run this again, restart broker and containers.",
    )
    parser.add_argument("--example", type=Path, default=Path(".env.example"), help="the template (%(default)s)")
    parser.add_argument("--file", type=Path, default=Path(".env"), help="the file to make (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(_make(options.example, options.file))
    except (OSError, UnicodeDecodeError) as error:
        where = getattr(error, "filename", None) or options.file
        reason = getattr(error, "strerror", None) or "it is not text"
        sys.stderr.write(f"{where}: {reason}. Fix: run this in the directory of the checkout, as the owner of .env.\n")
        return 2
    return 0


def _make(example: Path, file: Path) -> str:
    """Does it, and says what was done."""
    existed = file.exists()
    present = file.read_text(encoding="utf-8") if existed else ""
    text, given, missing = merged(example.read_text(encoding="utf-8"), present, value_for)
    was_open = existed and file.stat().st_mode & 0o077 != 0
    if text != present or was_open:
        write_private(file, text)
    passwords = sum(name.startswith(PASSWORD_PREFIX) for name in given)
    report = f"{file}: {'kept' if existed else 'made'}, {passwords} new broker password{'' if passwords == 1 else 's'}"
    report += ".\n" if given or not existed else "; nothing was missing.\n"
    if was_open:
        report += "It could be read by others; now it is for its owner alone.\n"
    if missing:
        report += f"Left empty, fill in what you use: {', '.join(missing)}\n"
    return report


if __name__ == "__main__":
    sys.exit(main())
