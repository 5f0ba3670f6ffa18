"""Which edits bring miners into a farm file, take them out, or switch them. Pure; raises TroubleError."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from deploy.console.editing.edits import Drop, Edit, Join, Put
from deploy.console.editing.table_file import NewMiner
from deploy.console.trouble import TroubleError
from shared.settings.problems import did_you_mean


def adding(data: Mapping[str, Any], rows: Sequence[NewMiner]) -> list[Edit]:
    """The miners, and their places in groups."""
    known = _names(data.get("miners"))
    taken = [row.name for row in rows if row.name in known]
    if taken:
        message = f"{', '.join(taken)}: in the farm file already. Fix: give another name, or edit the file."
        raise TroubleError(message)
    edits: list[Edit] = [Put(("miners",), {row.name: row.keys for row in rows})]
    joining: dict[str, list[str]] = {}
    for row in rows:
        for group in row.groups:
            joining.setdefault(group, []).append(row.name)
    existing = _names(data.get("groups"))
    for group, members in joining.items():
        if group in existing:
            edits.append(Join(("groups", group, "members"), tuple(members)))
    fresh = {group: {"members": members} for group, members in joining.items() if group not in existing}
    return [*edits, Put(("groups",), fresh)] if fresh else edits


def switching(data: Mapping[str, Any], names: Iterable[str], *, enabled: bool) -> list[Edit]:
    """Nothing for those that are so already."""
    miners = data.get("miners") or {}
    chosen = _known(names, _names(miners))
    return [Put(("miners", name), {"enabled": enabled}) for name in chosen if _is_enabled(miners[name]) is not enabled]


def removing(data: Mapping[str, Any], names: Iterable[str]) -> list[Edit]:
    """The miners, and their names in groups. A group that would be empty stands in the way."""
    chosen = frozenset(_known(names, _names(data.get("miners"))))
    edits: list[Edit] = [Drop(("miners",), chosen)]
    for group, keys in (data.get("groups") or {}).items():
        members = [str(member) for member in (keys or {}).get("members") or []]
        leaving = chosen.intersection(members)
        if leaving and leaving.issuperset(members):
            message = (
                f"the group {group} would have no member left. Fix: remove the group from the farm file first, "
                f"put another miner into it, or use: sunherd miners disable {' '.join(sorted(chosen))}."
            )
            raise TroubleError(message)
        if leaving:
            edits.append(Drop(("groups", str(group), "members"), leaving))
    return edits


def _known(names: Iterable[str], miners: Collection[str]) -> list[str]:
    chosen = list(dict.fromkeys(names))
    strange = [name for name in chosen if name not in miners]
    if strange:
        lines = [f"no miner is called {name!r}{did_you_mean(name, miners)}" for name in strange]
        message = f"{'; '.join(lines)}. Fix: sunherd miners list shows them; nothing was changed."
        raise TroubleError(message)
    return chosen


def _names(section: object) -> list[str]:
    return [str(name) for name in section] if isinstance(section, dict) else []


def _is_enabled(miner: object) -> bool:
    return not isinstance(miner, dict) or miner.get("enabled") is not False
