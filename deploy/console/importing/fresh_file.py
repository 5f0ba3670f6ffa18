"""The text of a farm file that is made of other programs' files, with comments for whoever edits it next. Pure."""

from collections.abc import Iterator

from deploy.console.editing.yaml_text import lines_of, one_line
from deploy.console.importing.gather import Gathered
from deploy.console.importing.of_rig_restarter import ASSUMED_W
from shared.settings.secrets import variable_of

_INDENT = 2
_PERHAPS_ANOTHER = (
    "  # Is one of these a miner with a host, too? Then give that one its plug and worker, and remove it here: as two",
    "  # it would lose its power while it is paused. Else remove its observe.",
)


def fresh_text(farm: Gathered, *, watts_are_assumed: bool) -> str:
    """A whole farm file."""
    return "\n".join([*_lines(farm, watts_are_assumed=watts_are_assumed), ""])


def _lines(farm: Gathered, *, watts_are_assumed: bool) -> Iterator[str]:
    yield f"# A farm, taken over from {', '.join(farm.files)}. What became of each value: docs/coming-from.md."
    yield "# Secrets stand in .env beside this file, in the environment, or as secret files, never here."
    yield ""
    yield "observe: true            # decides and explains, but touches no miner; remove it when you trust what you see"
    if farm.time_zone is not None:
        yield ""
        yield f"{lines_of('site', {'time_zone': farm.time_zone}, 0)[0]}   # whose clock the schedules follow"
    if farm.battery is not None:
        source = farm.battery["home_assistant"]
        yield ""
        yield "battery:                 # its long-lived token: HA_TOKEN"
        yield from lines_of("home_assistant", source, _INDENT, spread=True)
    yield ""
    yield "miners:"
    yield from _miners(farm, watts_are_assumed=watts_are_assumed)
    if farm.schedules:
        yield ""
        yield "schedules:               # where no window holds, a miner runs as you had set it"
        for name, windows in farm.schedules.items():
            yield f"{' ' * _INDENT}{name}:"
            yield from (f"{' ' * (2 * _INDENT)}- {one_line(window)}" for window in windows)
    if farm.pools:
        yield ""
        yield "pools:"
        for name, keys in farm.pools.items():
            yield from lines_of(name, keys, _INDENT)


def _miners(farm: Gathered, *, watts_are_assumed: bool) -> Iterator[str]:
    origin = ""
    for name, keys in farm.miners.items():
        if farm.origins[name] != origin:
            origin = farm.origins[name]
            yield f"{' ' * _INDENT}# from {origin}"
            if keys["driver"] == "plug" and watts_are_assumed:
                yield f"{' ' * _INDENT}# nominal_w is assumed ({ASSUMED_W:g} W): write what each rig draws"
            if keys["driver"] == "plug" and keys.get("observe"):
                yield from _PERHAPS_ANOTHER
        if name in farm.passwords:
            yield f"{' ' * _INDENT}# password: {variable_of(name)} in .env"
        yield from lines_of(name, keys, _INDENT)
