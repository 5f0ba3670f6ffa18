"""The battery's rule: below `stop_soc` pause, above `resume_soc` run, between the two stay as it was."""

from datetime import datetime

from services.policy_engine.policy import Numbers, Policy, allow, forbid, instead_of, numbers_of
from services.policy_engine.rules import MinerId, MinerRules, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import percent
from shared.messages import Limit

NAME = "soc_hysteresis"
LOW, OK, NO_MEMORY, NEVER_KNOWN = "soc_low", "soc_ok", "soc_no_memory", "soc_never_known"
_FULL_PERCENT = 100


def soc_hysteresis(rules: Rules) -> Policy:
    """The latch of one miner. Its own last code is the memory, so that a silenced ceiling loses nothing."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        stop, resume = rules.miners[miner].stop_percent, rules.miners[miner].resume_percent
        if stop is None or resume is None:
            return allow(NAME, "no_band", "the battery does not govern this miner", now)
        # An old value gives no verdict: the stale rule deals with it.
        soc = farm.site.fresh_soc_percent(now, rules.stale_no_start)
        before = NEVER_KNOWN if last is None else last.code
        if soc is None:
            return _unknown(before, stop, resume, now)
        return _said(_verdict(_code(before, soc, stop, resume), soc, stop, resume, now), rules.miners[miner], soc)

    return policy


def _code(before: str, soc: float, stop: float, resume: float) -> str:
    if soc < stop:
        return LOW
    # Nothing is above 100 %: with `resume_soc: 100` a full battery must do.
    if soc > resume or soc >= _FULL_PERCENT:
        return OK
    return before if before in {LOW, OK, NO_MEMORY} else NO_MEMORY


def _said(limit: Limit, own: MinerRules, soc: float) -> Limit:
    """The verdict with who has chosen the threshold that it speaks of, where that is not the farm file's."""
    stop, resume = own.stop_percent or 0.0, own.resume_percent or 0.0
    above = soc > resume if limit.code == OK else soc >= stop
    chosen = own.chosen.get("resume_soc" if above else "stop_soc")
    if chosen is None:
        return limit
    update = {
        "sentence": limit.sentence + instead_of(chosen, "%"),
        "numbers": {**limit.numbers, **numbers_of(chosen)},
    }
    return limit.model_copy(update=update)


def _verdict(code: str, soc: float, stop: float, resume: float, now: datetime) -> Limit:
    numbers: Numbers = {"soc_percent": soc, "stop_percent": stop, "resume_percent": resume}
    resumes = f"resumes above {resume:g} %, now {percent(soc, resume)}"
    if code == OK:
        bound = f"> {resume:g} %" if soc > resume else f"≥ {stop:g} %"
        sentence = f"SoC {percent(soc, resume if soc > resume else stop)} {bound}"
        changes = f"pauses below {stop:g} %, now {percent(soc, stop)}"
        return allow(NAME, code, sentence, now, numbers=numbers, changes_when=changes)
    if code == LOW and soc < stop:
        sentence = f"SoC {percent(soc, stop)} < {stop:g} %"
    elif code == LOW:
        sentence = f"SoC {percent(soc, resume)} ≤ {resume:g} %, and it has been below {stop:g} %"
    else:
        sentence = (
            f"SoC {percent(soc, resume)} is between {stop:g} % and {resume:g} %, and nobody knows what went before"
        )
    return forbid(NAME, code, sentence, now, numbers=numbers, changes_when=resumes)


def _unknown(before: str, stop: float, resume: float, now: datetime) -> Limit:
    """No verdict: what was decided stays decided. Whether anything may start is the stale rule's business."""
    numbers: Numbers = {"stop_percent": stop, "resume_percent": resume}
    if before in {LOW, NO_MEMORY}:
        sentence = f"SoC unknown; when last known it had not risen above {resume:g} %"
        return forbid(NAME, before, sentence, now, numbers=numbers, changes_when=f"resumes above {resume:g} %")
    if before == OK:
        sentence = f"SoC unknown; when last known it had not fallen below {stop:g} %"
        return allow(NAME, before, sentence, now, numbers=numbers, changes_when=f"pauses below {stop:g} %")
    return allow(NAME, NEVER_KNOWN, "SoC not known yet", now, numbers=numbers)
