"""Who has fallen silent without a word, and who is heard again. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.console.view.happening import Happening, Kind
from deploy.console.view.picture import Picture
from shared.messages import Severity


@dataclass
class Silences:
    """Remembers whom it has called silent."""

    _heard: set[str] = field(default_factory=set)
    _silent: set[str] = field(default_factory=set)

    def look(self, picture: Picture) -> Iterator[Happening]:
        """What has changed since the last look. While the broker is away nobody is called silent."""
        if not picture.is_connected:
            return
        live = set(picture.roster.live(picture.seconds))
        may_be = set(picture.roster.possible(picture.seconds))
        ended = {each.presence.instance for each in picture.roster.members if each.presence.status == "offline"}
        for name in sorted(self._heard - may_be - self._silent - ended):
            yield _of(picture, name, "is silent: not heard within three beats", Severity.WARNING)
            self._silent.add(name)
        for name in sorted(self._silent & live):
            yield _of(picture, name, "is heard again", Severity.INFO)
        self._silent -= live | ended
        self._heard = (self._heard | live) - ended


def _of(picture: Picture, name: str, sentence: str, severity: Severity) -> Happening:
    return Happening(at=picture.now, name=name, kind=Kind.PRESENCE, sentence=sentence, severity=severity)
