"""What differs between kinds of devices when an agent tends them."""

from datetime import datetime
from typing import Protocol, TypeVar

from shared.device import DeviceError
from shared.messages import Command, Following, Reported
from shared.topics import Topic

R = TypeVar("R", bound=Reported)
C = TypeVar("C", bound=Command)


class Role(Protocol[R, C]):
    """One kind of device, from the agent's point of view. Holds what it remembers of one device."""

    telemetry: Topic[R]
    command: Topic[C]

    def unread(self, error: DeviceError, now: datetime) -> R:
        """The telemetry of a device that could not be read: everything unknown, with the reason."""

    def recall(self, previous: R) -> None:
        """Is told once what was last reported of this device."""

    def regard(self, reading: R, following: Following, command: C | None, *, settled_before: bool) -> R:
        """A look at each reading before anything is done about it; may add what only a history shows."""

    def goal(self, following: Following, command: C | None, reading: R, now: datetime) -> C | None:
        """The command to carry out: the engine's, a stop, the failsafe, or None to leave the device as it is."""

    def only_lowers(self, goal: C, reading: R) -> bool:
        """Whether the goal takes away what this reading shows, and can add nothing if it has moved on since."""

    def insists(self, goal: C) -> bool:
        """Whether even a device that is only watched is brought to this goal: it takes back what we have begun."""

    def acts(self, goal: C) -> None:
        """Is told of a goal just before the device is asked for it: the next reading may show what we have done."""

    def undone(self, reading: R) -> None:
        """Is told that another replica has undone what was commanded: to go on is a start like any other."""

    def name(self, goal: C) -> str:
        """A short name for what the goal asks for; two goals of one name are the same goal."""

    def faulty(self, reading: R, goal: C) -> R:
        """The reading of a device that says yes and does nothing."""
