"""What the people of a simulated farm choose and limit, drawn by chances of their own; and what of it is in force.

Only what is stricter than the farm file, so that whoever does not know of it demands no more than the file does.
"""

import random
from dataclasses import replace

from services.policy_engine.rules import MinerRules
from shared.messages import Choice, Number
from shared.topics import MINER_CHOICE
from tests.simulation.shape import CALM_EVENING_SECONDS, DAY_SECONDS, Incident, Shape, lasting_seconds

LIMIT, BAND, CAP = "limit", "chosen_band", "chosen_cap"
WISH_KINDS = (LIMIT, BAND, CAP)
_DAYS = 1 / 3
"""So many have any."""
_FULL_PERCENT = 100.0


def with_wishes(seed: int, shape: Shape, found: tuple[Incident, ...]) -> tuple[Incident, ...]:
    """The incidents of a day, with what people choose and limit on it."""
    chance = random.Random(f"wishes {seed}")
    if chance.random() >= _DAYS:
        return found
    own = [_wish(chance, shape) for _ in range(chance.choice([1, 2, 3, 5]))]
    fresh = [incident for incident in own if incident is not None]
    return tuple(sorted([*found, *fresh], key=lambda incident: incident.at_seconds))


def chosen(kind: str, rules: MinerRules, value: float) -> dict[str, Number | None]:
    """What is asked for, `value` above the file's band, or as a power limit."""
    if kind == CAP:
        return {"max_w": value}
    stop, resume = rules.stop_percent or 0.0, rules.resume_percent or _FULL_PERCENT
    resume = min(_FULL_PERCENT, resume + value)
    return {"stop_soc": min(stop + value, resume - 1), "resume_soc": resume}


def taken_back(kind: str) -> dict[str, Number | None]:
    """As in the farm file again."""
    return {"max_w": None} if kind == CAP else {"stop_soc": None, "resume_soc": None}


def rules_in_force(rules: MinerRules, name: str, retained: dict[str, bytes]) -> MinerRules:
    """By what stands in the broker's memory, where the engine alone writes: a choice that it has found sound."""
    payload = retained.get(MINER_CHOICE.path("sunherd", name))
    if not payload:
        return rules
    choice = Choice.model_validate_json(payload)
    return replace(
        rules,
        stop_percent=rules.stop_percent if choice.stop_soc is None else choice.stop_soc,
        resume_percent=rules.resume_percent if choice.resume_soc is None else choice.resume_soc,
        max_w=rules.max_w if choice.max_w is None else choice.max_w,
    )


def _wish(chance: random.Random, shape: Shape) -> Incident | None:
    kind, value = chance.choice([LIMIT, LIMIT, BAND, CAP]), 0.0
    at_seconds = chance.uniform(0, DAY_SECONDS - CALM_EVENING_SECONDS)
    lasts = lasting_seconds(chance, at_seconds)
    miners = [name for name, miner in shape.miners.items() if not miner.is_bitaxe]
    if kind == BAND:
        miners = [name for name in miners if "stop_soc" in shape.miners[name].settings]
    targets = miners + (list(shape.settings["groups"]) if kind == LIMIT else [])
    if not targets:
        return None
    target = chance.choice(targets)
    if kind == BAND:
        value = round(chance.uniform(2, 15), 1)
    else:
        members = shape.settings["groups"].get(target, {}).get("members", [target])
        value = float(round(sum(shape.miners[name].nominal_w for name in members) * chance.uniform(0.3, 0.95)))
        if kind == CAP:
            value = min(value, float(shape.miners[target].settings.get("max_w", value)))
    return Incident(round(at_seconds, 1), kind, target, round(lasts, 1), value)
