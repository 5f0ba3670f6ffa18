"""What the processes of a running embedded farm hold: memory, threads, descriptors. Linux only."""

import re
from dataclasses import dataclass
from pathlib import Path

import psutil

SUPERVISOR = "supervisor"
BROKER = "broker"
MB = 1024.0
_REGION = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ (?P<offset>\S+) \S+ \S+ +(?P<file>/.*)$")


@dataclass(frozen=True)
class Footprint:
    """One process at one moment; memory in MB of 2^20 bytes."""

    pss_mb: float
    rss_mb: float
    own_mb: float
    """Its share of what is no file's: unlike the share of library pages, this does not depend on other programs."""
    allocated_mb: float
    """All that is no file's, in full: it grows only when something is allocated, not when a shared page is copied."""
    private_mb: float
    """Written by it alone."""
    threads: int
    descriptors: int
    sockets: int


def roles_of(farm: Path) -> dict[str, int]:
    """The process ids of the farm that a child of this process runs in this directory, by what they do."""
    for candidate in psutil.Process().children():
        if _runs_in(candidate, farm):
            named = {_role(child): child.pid for child in candidate.children()}
            named.pop(None, None)
            return {SUPERVISOR: candidate.pid} | {role: pid for role, pid in named.items() if role is not None}
    message = f"no farm runs in {farm}"
    raise LookupError(message)


def footprint_of(pid: int) -> Footprint | None:
    """None for a process that has ended."""
    place = Path(f"/proc/{pid}")
    try:
        kilobytes = _kilobytes((place / "smaps_rollup").read_text(encoding="utf-8"))
        opened = [str(entry.readlink()) for entry in (place / "fd").iterdir()]
        threads = sum(1 for _ in (place / "task").iterdir())
    except OSError:
        return None
    if "Pss" not in kilobytes:  # it is a zombie
        return None
    return Footprint(
        pss_mb=kilobytes["Pss"] / MB,
        rss_mb=kilobytes["Rss"] / MB,
        own_mb=kilobytes["Pss_Anon"] / MB,
        allocated_mb=kilobytes["Anonymous"] / MB,
        private_mb=kilobytes["Private_Dirty"] / MB,
        threads=threads,
        descriptors=len(opened),
        sockets=sum(name.startswith("socket:") for name in opened),
    )


def files_mb(pids: list[int]) -> float:
    """What these processes have in memory of programs and libraries, each piece counted once.

    PSS is smaller by what other programs on this machine happen to share; on a machine of the farm's own it is this.
    """
    pieces: dict[tuple[str, str], int] = {}
    for pid in pids:
        key: tuple[str, str] | None = None
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name == "Rss":
                resident = int(value.split()[0])
            elif name == "Anonymous" and key is not None:
                pieces[key] = max(pieces.get(key, 0), resident - int(value.split()[0]))
            elif (region := _REGION.match(line)) is not None:
                key = (region["file"], region["offset"])
            elif "-" in name:
                key = None
    return sum(pieces.values()) / MB


def _kilobytes(rollup: str) -> dict[str, int]:
    return {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines() if line.endswith(" kB")}


def _runs_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return process.cwd() == str(directory) and "deploy.embedded" in process.cmdline()
    except psutil.Error:
        return False


def _role(process: psutil.Process) -> str | None:
    """A service alone has its own log open, and only the broker has a file in its directory open."""
    try:
        for file in map(Path, (opened.path for opened in process.open_files())):
            if file.parent.name == "broker":
                return BROKER
            if file.parent.name == "log":
                return file.stem
    except psutil.Error:
        return None
    return None
