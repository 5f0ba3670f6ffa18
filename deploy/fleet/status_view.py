"""What `status` shows: containers beside what their replicas say. Pure: from a snapshot to lines, or JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.fleet.container import SCALED_SERVICES, Container
from deploy.fleet.heard import Heard, Standing
from deploy.fleet.ownership import ENGINE_SERVICE, orphans, tended_by, unsettled
from deploy.fleet.snapshot import Snapshot
from deploy.fleet.table import table
from shared.membership import Member

_MIB = 1024 * 1024
_NAMED = 10
_NEVER = "never heard"


@dataclass(frozen=True)
class Row:
    """A container and its replica; either may be missing."""

    container: Container | None
    member: Member | None

    @property
    def name(self) -> str:
        """The replica's instance; of a container that has none, the one that it would have."""
        if self.member is not None:
            return self.member.presence.instance
        return self.container.instance if self.container else ""


def rows_of(snapshot: Snapshot) -> list[Row]:
    """Each container with its replica, then the replicas that are in none of them."""
    members = {each.presence.instance: each for each in (snapshot.heard.roster.members if snapshot.heard else ())}
    rows = [Row(container, members.pop(container.instance, None)) for container in snapshot.containers or ()]
    rest = sorted(members.values(), key=lambda member: (member.presence.service, member.presence.instance))
    return rows + [Row(None, member) for member in rest]


def wrong(snapshot: Snapshot) -> list[str]:
    """What is not as it should be, one sentence each. `doctor` says what it means."""
    found = [snapshot.no_broker.sentence] if snapshot.no_broker else []
    for container in snapshot.containers or ():
        if not container.is_running:
            found.append(f"{container.name} is {container.state}")
        elif container.health == "unhealthy":
            found.append(f"{container.name} is unhealthy: {container.health_says}")
    if snapshot.heard is not None:
        found += [f"{each.presence.instance} is a ghost" for each in snapshot.heard.of(Standing.GHOST)]
        found += unsettled(snapshot.heard)
    return found


def text(snapshot: Snapshot) -> list[str]:
    """For people."""
    rows = rows_of(snapshot)
    lines: list[str] = []
    if snapshot.containers == ():
        lines += ["Without containers: there are none of this project (--project names another)", ""]
    elif snapshot.containers is not None:
        lines += [*table(_CONTAINER_HEAD, [_container(row.container) for row in rows if row.container]), ""]
    else:
        lines += [f"Without containers: {snapshot.no_docker}", ""]
    if snapshot.heard is None:
        fix = f" Fix: {snapshot.no_broker.fix}." if snapshot.no_broker else ""
        sentence = snapshot.no_broker.sentence if snapshot.no_broker else ""
        return [*lines, f"Without MQTT: {sentence}{fix}"]
    heard = snapshot.heard
    shown = [row for row in rows if row.member or _is_ours(row)]
    gone = sum(1 for row in shown if row.container is None and _standing(row, heard) == Standing.GONE)
    shown = [row for row in shown if row.container or _standing(row, heard) != Standing.GONE]
    lines += table(_REPLICA_HEAD, [_replica(row, heard) for row in shown])
    if gone:
        lines.append(f"{gone} more that are gone; `prune` makes the broker forget them")
    return [*lines, "", *_summary(snapshot, heard)]


def _is_ours(row: Row) -> bool:
    return row.container is not None and row.container.service in SCALED_SERVICES


def _summary(snapshot: Snapshot, heard: Heard) -> list[str]:
    untended, problems = orphans(heard), wrong(snapshot)
    lines = [f"{len(heard.devices)} devices, {len(untended)} without a live owner"]
    lines += [f"! {sentence}" for sentence in problems[:_NAMED]]
    if len(problems) > _NAMED:
        lines.append(f"! and {len(problems) - _NAMED} more; `doctor` explains, `status --json` names all")
    return lines


_CONTAINER_HEAD = ("CONTAINER", "SERVICE", "STATE", "HEALTH", "RESTARTS", "MEMORY", "CPU", "VERSION", "IMAGE")
_REPLICA_HEAD = ("REPLICA", "CONTAINER", "PRESENCE", "TENDS", "HOLDS", "VERSION", "STARTED", "CLOCK")


def _container(container: Container | None) -> tuple[str, ...]:
    if container is None:
        return ()
    usage = container.usage
    memory = "" if usage.memory_bytes is None else f"{usage.memory_bytes / _MIB:.0f} MiB"
    if memory and usage.memory_limit_bytes:
        memory += f" of {usage.memory_limit_bytes / _MIB:.0f}"
    return (
        container.name,
        container.service,
        container.state,
        container.health or "",
        str(container.restarts),
        memory,
        "" if usage.cpu_percent is None else f"{usage.cpu_percent:.1f} %",
        container.version or "",
        container.image_id.removeprefix("sha256:")[:12],
    )


def _replica(row: Row, heard: Heard) -> tuple[str, ...]:
    presence = row.member.presence if row.member else None
    ahead = heard.ahead_seconds.get(row.name)
    return (
        row.name,
        row.container.name if row.container else "",
        _standing(row, heard),
        "" if presence is None or presence.tends is None else str(presence.tends),
        _holds(row, heard),
        presence.version if presence else "",
        _started(presence.started_at if presence else None),
        "" if ahead is None else f"{ahead:+.1f} s",
    )


def _standing(row: Row, heard: Heard) -> str:
    return _NEVER if row.member is None else heard.standing(row.member).value


def _holds(row: Row, heard: Heard) -> str:
    if row.member is None or not row.member.presence.holds:
        return ""
    epochs = [str(epoch) for _site, (engine, epoch) in sorted(heard.epochs.items()) if engine == row.name]
    if row.member.presence.service == ENGINE_SERVICE and epochs:
        return f"{', '.join(row.member.presence.holds)} (epoch {', '.join(epochs)})"
    return ", ".join(row.member.presence.holds)


def _started(at: datetime | None) -> str:
    return "" if at is None else f"{at:%m-%d %H:%M:%S} UTC"


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """For machines; the two halves are null where they are missing."""
    heard = snapshot.heard
    return {
        "containers": None if snapshot.containers is None else [_container_json(each) for each in snapshot.containers],
        "replicas": None
        if heard is None
        else [_replica_json(each, heard) for each in rows_of(snapshot) if each.member],
        "devices": None if heard is None else _devices_json(heard),
        "missing": {
            "docker": snapshot.no_docker or None,
            "broker": snapshot.no_broker.as_json() if snapshot.no_broker else None,
        },
        "wrong": wrong(snapshot),
    }


def _container_json(container: Container) -> dict[str, Any]:
    plain = (
        "name",
        "service",
        "state",
        "health",
        "restarts",
        "oom_killed",
        "exit_code",
        "image",
        "image_id",
        "version",
    )
    usage = container.usage
    return {
        **{name: getattr(container, name) for name in plain},
        "instance": container.instance,
        "memory_bytes": usage.memory_bytes,
        "memory_limit_bytes": usage.memory_limit_bytes,
        "cpu_percent": usage.cpu_percent,
    }


def _replica_json(row: Row, heard: Heard) -> dict[str, Any]:
    if row.member is None:
        return {}
    ahead = heard.ahead_seconds.get(row.name)
    return {
        **row.member.presence.model_dump(mode="json"),
        "presence": _standing(row, heard),
        "container": row.container.name if row.container else None,
        "ahead_seconds": None if ahead is None else round(ahead, 3),
    }


def _devices_json(heard: Heard) -> Mapping[str, Any]:
    return {
        "count": len(heard.devices),
        "tended_by": tended_by(heard),
        "untended": [orphan.device.label for orphan in orphans(heard)],
    }
