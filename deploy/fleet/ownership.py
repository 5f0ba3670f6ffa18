"""Who tends what, and whether the replicas agree on it. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.fleet.heard import Device, Heard, Standing
from shared.messages import Presence

ENGINE_SERVICE = "policy_engine"


@dataclass(frozen=True)
class Orphan:
    """A device of the farm that nobody tends who is heard."""

    device: Device

    @property
    def sentence(self) -> str:
        """Who had it last."""
        last = self.device.by
        return f"{self.device.label}: " + (
            f"last told of by {last}, who is not heard" if last else "nobody tells of it"
        )


def decides(presence: Presence) -> bool:
    """Whether this is an engine in charge: one that shares nothing, of an older version, always is."""
    return presence.service == ENGINE_SERVICE and (bool(presence.holds) or presence.knows is None)


def orphans(heard: Heard) -> list[Orphan]:
    """The devices without a live owner."""
    live = heard.live
    return [Orphan(device) for device in _of_the_farm(heard) if device.by not in live]


def _of_the_farm(heard: Heard) -> list[Device]:
    """Leaves out what the broker only remembers: a machine that has been taken out of the farm file.

    Whoever decides for the farm renews the command of each of its machines. Without an engine nobody can tell.
    """
    decided = any(decides(presence) for presence in heard.live.values())
    found = (device for device in heard.devices.values() if not decided or _is_known(device, heard))
    return sorted(found, key=lambda device: (device.name, device.is_plug))


def _is_known(device: Device, heard: Heard) -> bool:
    if device.heard_at_seconds is not None:
        return True
    return device.lease_ends is not None and device.lease_ends > heard.now


def tended_by(heard: Heard) -> Mapping[str, tuple[str, ...]]:
    """By instance: the devices that it told of last."""
    found: dict[str, list[str]] = {}
    for device in _of_the_farm(heard):
        if device.by is not None:
            found.setdefault(device.by, []).append(device.label)
    return {instance: tuple(labels) for instance, labels in found.items()}


def care(heard: Heard) -> dict[str, int]:
    """By service: how many units its live replicas have in their care, as far as they share."""
    found: Counter[str] = Counter()
    for presence in heard.live.values():
        if presence.tends is not None:
            found[presence.service] += presence.tends
    return dict(found)


def disagreements(heard: Heard) -> list[str]:
    """Live replicas of a service that do not count one another, or count somebody who is silent."""
    found = []
    live = heard.live
    for presence in live.values():
        if presence.knows is None:
            continue
        others = {each.instance for each in live.values() if each.service == presence.service}
        missing, too_many = others - set(presence.knows), set(presence.knows) - others
        if missing:
            found.append(f"{presence.instance} does not count {', '.join(sorted(missing))}")
        if too_many:
            found.append(f"{presence.instance} still counts {', '.join(sorted(too_many))}")
    return found


def doubly_tended(heard: Heard) -> list[str]:
    """Devices of which live replicas tell in turns: one after the other would be a handover."""
    live = heard.live
    found = []
    for device in heard.devices.values():
        tellers = [instance for instance in device.tellers if instance in live]
        if len(tellers) > len(set(tellers)):
            found.append(f"{device.label} is told of by {' and '.join(sorted(set(tellers)))} in turns")
    return found


def unsettled(heard: Heard, cared_before: Mapping[str, int] | None = None) -> list[str]:
    """Why ownership has not settled; empty when it has.

    `cared_before`: how many units of each service somebody had before: none of them may be missing, and none be there
    twice.
    """
    reasons = [f"{member.presence.instance} may still be there" for member in heard.of(Standing.POSSIBLE)]
    leaving = [presence for presence in heard.live.values() if presence.leaving]
    reasons += [f"{presence.instance} still leaves {', '.join(presence.leaving)}" for presence in leaving]
    reasons += disagreements(heard)
    now = care(heard)
    for service, before in sorted((cared_before or {}).items()):
        if before and now.get(service, 0) != before:
            reasons.append(f"{service}: {now.get(service, 0)} of {before} units in somebody's care")
    return reasons + [orphan.sentence for orphan in orphans(heard)]
