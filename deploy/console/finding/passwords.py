"""The web passwords of VNish miners: each is proven at its miner, and tried once only, for a miner may lock us out."""

from collections.abc import Mapping

from deploy.console.finding.asking import Asker
from deploy.console.finding.found import FoundMiner
from deploy.console.finding.stranger import BriskSession
from services.vnish_agent.client import VnishClient
from services.vnish_agent.wiring import FACTORY_PASSWORD, PASSWORD_VARIABLE
from shared.clock import Clock
from shared.device import DeviceError
from shared.settings import Address, Secrets
from shared.settings.secrets import variable_of


def prove_passwords(
    asker: Asker, found: Mapping[str, FoundMiner], secrets: Secrets, fresh: dict[str, str], clock: Clock
) -> None:
    """Puts what is typed into `fresh`. What cannot be proven is told, and left to `sunherd check --live`."""
    miners = {name: miner for name, miner in found.items() if miner.driver == "vnish"}
    if not miners:
        return
    if any(secrets.password_of(name, PASSWORD_VARIABLE) is None for name in miners):
        typed = asker.secret(
            "Web password of the VNish miners (empty: the factory's)",
            "VNish miners are paused and resumed with their web password. It goes into .env, and is not shown.",
        )
        if typed:
            fresh[PASSWORD_VARIABLE] = typed
    for name, miner in miners.items():
        # As the agents will look it up: its own, then the one for all.
        password = secrets.get(variable_of(name)) or fresh.get(PASSWORD_VARIABLE) or secrets.get(PASSWORD_VARIABLE)
        _prove_one(asker, name, miner, password or FACTORY_PASSWORD, fresh, clock)


def _prove_one(asker: Asker, name: str, miner: FoundMiner, password: str, fresh: dict[str, str], clock: Clock) -> None:
    trouble = _refusal(miner.address, password, clock)
    if trouble is None:
        asker.say(f"{name}: the password is right.")
        return
    asker.say(f"{name}: {trouble}.")
    typed = asker.secret(f"Password of {name} (empty: leave it)", "This one may have a password of its own.")
    if typed:
        fresh[variable_of(name)] = typed
        trouble = _refusal(miner.address, typed, clock)
    if trouble is None:
        asker.say(f"{name}: the password is right.")
    else:
        asker.say(f"{name}: not proven. Fix: set {variable_of(name)} in .env, then sunherd check --live.")


def _refusal(address: Address, password: str, clock: Clock) -> str | None:
    client = VnishClient(address, password, clock, BriskSession())
    try:
        client.have_token()
    except DeviceError as error:
        return error.sentence
    finally:
        client.close()
    return None
