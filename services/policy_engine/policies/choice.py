"""The operating point that a person has chosen for a miner: at most that one, whatever a schedule asks for."""

from datetime import datetime

from services.policy_engine.choices import POINT, about_point
from services.policy_engine.policy import Numbers, Policy, allow
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain
from shared.ladder import point_named
from shared.messages import Limit

NAME = "choice"
CHOSEN, MISSING, NO_LADDER = "chosen", "choice_point_missing", "choice_unknown_ladder"


def choice(rules: Rules) -> Policy:
    """The point is a ceiling and an exact point at once. One that the miner does not have is not applied."""

    def policy(farm: Farm, miner: MinerId, _last: Limit | None, now: datetime) -> Limit:
        own = rules.miners[miner]
        if own.point is None:
            return allow(NAME, "nothing_chosen", "nobody has chosen a point", now)
        by, name = own.chosen[POINT].by, plain(own.point)
        telemetry = farm.miners[miner].telemetry
        ladder = None if telemetry is None else telemetry.ladder
        file = "" if ladder is None else ladder.normal
        if own.timetable is not None:
            file = f"the schedule {own.timetable.schedule.name}"
        said = f"{name}, chosen by {by}{f' instead of {file}' if file not in {'', name} else ''}"
        numbers: Numbers = {"by": by, "point": name, "file": file}
        if ladder is None:
            said += "; what it can be set to is not known at present"
            return allow(NAME, NO_LADDER, said, now, numbers=numbers)
        point, complaint = point_named(ladder, own.point), about_point(own.point, ladder)
        if point is None or complaint is not None:
            return allow(NAME, MISSING, f"{said}; not applied: {complaint}", now, numbers=numbers)
        return Limit(
            policy=NAME,
            ceiling_w=point.power_w,
            point=point,
            code=CHOSEN,
            sentence=said,
            numbers=numbers,
            since=now,
            changes_when="until somebody chooses otherwise",
        )

    return policy
