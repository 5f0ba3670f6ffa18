"""The emergency stop as a file of this machine: for agents that no broker can tell, and through their restarts."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from shared.messages import EmergencyStop

LATCH_VARIABLE = "SUNHERD_LATCH_FILE"
"""Where the file is, or would be. Unset: this process heeds none."""
LATCH_FILE = "emergency_stop"
_BYTES_MAX = 65_536
UNDATED = datetime.max.replace(tzinfo=UTC)
"""The date of a stop whose file cannot be read: so late that no resume over the broker can mean it. Whoever removes
the file has seen it."""


class LatchFile:
    """While it is there, everything is stopped. What cannot be read or understood is a stop like any other."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_process(cls) -> Self | None:
        """The one that this process is told of by its environment."""
        path = os.environ.get(LATCH_VARIABLE)
        return cls(Path(path)) if path else None

    def is_there(self) -> bool:
        """Whether anything is; what cannot be looked at is. Cheap enough to be asked before each step."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def read(self) -> EmergencyStop | None:
        """The stop that stands in it; None only where it is certain that there is no such file."""
        try:
            with self.path.open("rb") as opened:
                stop = EmergencyStop.model_validate_json(opened.read(_BYTES_MAX))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return self._unread(error.strerror or type(error).__name__)
        except ValidationError:
            return self._unread("it does not hold a stop")
        return stop if stop.active else self._unread("it does not hold a stop")

    def write(self, stop: EmergencyStop) -> None:
        """Sets it, on disk before this returns; readable by every agent, whoever runs it. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with fresh.open("w", encoding="utf-8") as opened:
            opened.write(stop.model_dump_json(exclude_none=True))
            opened.flush()
            os.fsync(opened.fileno())
        fresh.chmod(0o644)
        fresh.replace(self.path)

    def remove(self) -> None:
        """Ends it. Raises OSError where it is there and cannot be removed."""
        self.path.unlink(missing_ok=True)

    def _unread(self, cause: str) -> EmergencyStop:
        return EmergencyStop(at=UNDATED, active=True, by=self.path.name, reason=f"the file cannot be read: {cause}")
