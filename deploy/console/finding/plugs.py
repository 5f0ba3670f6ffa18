"""Searches for Kasa plugs and strips: the agent's own search, for several targets side by side."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deploy.console.finding.crew import Crew
from deploy.console.trouble import TroubleError
from services.kasa_power_agent.link import Account
from services.kasa_power_agent.search import Found
from services.kasa_power_agent.wiring import account_of
from shared.settings import Secrets

_SLACK_SECONDS = 20.0
"""Beyond the time of listening: each device that has answered is then read."""


def search_plugs(
    farm_file: Path, targets: Sequence[str], seconds: int, port: int | None = None, account: Account | None = None
) -> list[Found]:
    """All that answer. `account`: in place of the one beside the farm file. Raises TroubleError."""
    try:
        from services.kasa_power_agent.kasa_search import search
    except ModuleNotFoundError as error:
        message = f"plugs are not looked for without {error.name}. Fix: pip install 'sunherd[kasa-power-agent]'."
        raise TroubleError(message) from None
    known = account or account_of(Secrets.beside(farm_file), [])
    crew: Crew[list[Found]] = Crew()
    found: dict[str, Found] = {}
    for target in targets:
        crew.give(target, partial(search, target, seconds, known, port))
    try:
        while crew.unfinished:
            done = crew.take(seconds + _SLACK_SECONDS)
            if done is None or isinstance(done[1], Exception):
                raise _failed(crew.unfinished[0] if done is None else done[0], done)
            found |= {device.address: device for device in done[1]}
    finally:
        crew.dismiss()
    return list(found.values())


def _failed(target: str, done: object) -> TroubleError:
    cause = done[1] if isinstance(done, tuple) else None
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else "the search for plugs failed"
    return TroubleError(f"{target}: {said}. Fix: give your network's broadcast address, such as 192.168.1.255.")
