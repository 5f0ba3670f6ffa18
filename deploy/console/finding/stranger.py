"""Who answers at an address: a VNish miner, an AxeOS device, or somebody else. One request at a time."""

from collections.abc import Mapping
from typing import Any

import requests

from deploy.console.finding.found import FoundMiner
from services.bitaxe_agent import boards
from services.bitaxe_agent import parse as axe
from services.bitaxe_agent.client import AxeClient
from services.vnish_agent import facts
from services.vnish_agent import parse as vnish
from services.vnish_agent.client import VnishClient
from shared.clock import Clock
from shared.device import DeviceError, UnreachableError
from shared.messages import MinerState
from shared.miner_session import MinerSession
from shared.settings import Address

_ANSWER_SECONDS = 2.5
"""A Bitaxe that is busy with another client takes its time; of who says nothing for longer nobody knows what it is."""


class BriskSession(MinerSession):
    """Waits for strangers less long than an agent waits for a miner that it knows."""

    def request(  # type: ignore[override]  # as the session beneath
        self,
        method: str,
        url: str,
        *,
        json: dict[str, Any] | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        allow_redirects: bool,
        stream: bool,
    ) -> requests.Response:
        brisk = (min(timeout[0], _ANSWER_SECONDS), min(timeout[1], _ANSWER_SECONDS))
        return super().request(
            method, url, json=json, headers=headers, timeout=brisk, allow_redirects=allow_redirects, stream=stream
        )


def who_is(address: Address, clock: Clock) -> FoundMiner | None:
    """Asks as AxeOS first: a Bitaxe bears little, a VNish miner does not mind. None: it is neither of the two.

    Raises UnreachableError where it listens and answers nothing: nobody knows what that is.
    """
    try:
        found = _as_axe_os(address, clock)
    except UnreachableError:
        found = None
        silent = True
    else:
        silent = False
    if found is not None:
        return found
    try:
        return _as_vnish(address, clock)
    except UnreachableError:
        if silent:
            raise
        return None


def _as_axe_os(address: Address, clock: Clock) -> FoundMiner | None:
    client = AxeClient(address, clock, BriskSession())
    try:
        answer = client.info()
    except UnreachableError:
        raise
    except DeviceError:
        return None
    finally:
        client.close()
    if not axe.is_axe_os(answer):
        return None
    readout = axe.read_out(answer)
    model = boards.recognise(readout.identity, readout, None).model
    return FoundMiner(address, "bitaxe", model, readout.identity.version, readout.identity.mac, axe_state(readout))


def axe_state(readout: axe.Readout) -> MinerState:
    """What one look shows; only a second one could tell starting from hanging."""
    if readout.paused:
        return MinerState.PAUSED
    if readout.fault or readout.overheat_mode:
        return MinerState.FAULT
    return MinerState.HASHING if readout.hashrate_ghs else MinerState.UNKNOWN


def _as_vnish(address: Address, clock: Clock) -> FoundMiner | None:
    client = VnishClient(address, "", clock, BriskSession())  # what is asked here needs no password
    try:
        info = vnish.mapping(client.get("/info"))
        name = vnish.text(info.get("fw_name"))
        if name is None or name.lower() != "vnish":
            return None
        summary = _told(client, "/summary")
    except UnreachableError:
        raise
    except DeviceError:
        return None
    finally:
        client.close()
    identity = facts.identity(info, summary)
    readout = vnish.read_out(None, summary, identity.unit)
    return FoundMiner(
        address,
        "vnish",
        identity.model or readout.model,
        identity.firmware or readout.firmware,
        identity.mac,
        readout.state,
    )


def _told(client: VnishClient, path: str) -> Any:
    """None where it does not say: that it is a miner is known without it."""
    try:
        return client.get(path)
    except DeviceError:
        return None
