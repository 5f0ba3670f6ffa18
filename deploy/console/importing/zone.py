"""By which clock this machine lives; the old scripts lived by the same."""

import os
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ZONES = "zoneinfo/"


def zone_of_machine(root: Path = Path("/")) -> str | None:
    """Its time zone, such as Europe/Lisbon; None where nobody knows."""
    link = root / "etc/localtime"
    found = [os.environ.get("TZ", "").removeprefix(":")]
    with suppress(OSError):
        found.append(str(link.readlink()).partition(_ZONES)[2])
    with suppress(OSError, UnicodeDecodeError):
        found.append((root / "etc/timezone").read_text(encoding="utf-8").strip())
    return next((name for name in found if name and _is_known(name)), None)


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
