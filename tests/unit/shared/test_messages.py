import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.messages import PAUSE, MinerState, MinerTelemetry, Override, SiteTelemetry, UnknownReason
from tests.unit.shared.commands import T0, command, telemetry

AT = "2026-06-21T04:00:00Z"


def telemetry_json(**fields: Any) -> str:
    return json.dumps({"at": AT, "driver": "vnish", "reachable": True, "state": "hashing"} | fields)


def test_a_message_survives_the_wire() -> None:
    sent = telemetry(MinerState.HASHING, power_w=3000, outside_pause_since=T0)
    assert MinerTelemetry.model_validate_json(sent.model_dump_json(exclude_none=True)) == sent


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert MinerTelemetry.model_validate_json(telemetry_json(invented_tomorrow=1)).state is MinerState.HASHING


@pytest.mark.parametrize(
    "fields",
    [
        {"power_w": "3000"},
        {"power_w": -1},
        {"reachable": 1},
        {"reachable": "true"},
        {"state": "mining"},
        {"at": "2026-06-21T04:00:00"},
        {"at": "yesterday"},
        {"at": None},
        {"problem": "Has Spaces"},
        {"hashrate_ths": -0.1},
    ],
)
def test_a_wrong_type_or_value_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MinerTelemetry.model_validate_json(telemetry_json(**fields))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        MinerTelemetry.model_validate_json(telemetry_json()[:-1] + f', "chip_temperature_celsius": {number}}}')


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(command(), "epoch", 7)  # noqa: B010 - mypy knows already that this must fail


@pytest.mark.parametrize("fields", [{}, {"state_of_charge_percent": 50, "unknown": UnknownReason.UNKNOWN}])
def test_a_state_of_charge_is_known_or_says_why_not(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="reason why it is unknown"):
        SiteTelemetry(at=T0, source="test", **fields)


@pytest.mark.parametrize("percent", [-0.1, 100.1])
def test_a_state_of_charge_out_of_range_is_never_clipped(percent: float) -> None:
    with pytest.raises(ValidationError):
        SiteTelemetry(at=T0, source="test", state_of_charge_percent=percent)


def test_force_on_must_end() -> None:
    with pytest.raises(ValidationError, match="until"):
        Override.model_validate_json(f'{{"at": "{AT}", "kind": "force_on"}}')
    Override.model_validate_json(f'{{"at": "{AT}", "kind": "force_on", "until": "{AT}"}}')
    Override.model_validate_json(f'{{"at": "{AT}", "kind": "pause"}}')


@pytest.mark.parametrize(
    ("state", "draws"),
    [
        (MinerState.HASHING, True),
        (MinerState.RAMPING, True),
        (MinerState.STOPPING, True),
        (MinerState.PAUSED, False),
        (MinerState.FAULT, None),
        (MinerState.UNKNOWN, None),
    ],
)
def test_whether_power_is_drawn_is_unknown_where_nobody_can_tell(state: MinerState, draws: bool | None) -> None:
    assert state.draws_power is draws


def test_only_zero_watts_is_a_pause() -> None:
    assert PAUSE.is_pause
    assert not command().point.is_pause
