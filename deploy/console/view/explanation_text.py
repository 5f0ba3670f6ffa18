"""`sunherd explain` for people: what it does, what binds, and everything else that has a say. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from rich.text import Text

from deploy.console.view import figures
from deploy.console.view.columns import Cell, Column, Tone, fitting
from deploy.console.view.explained import Explanation, LimitSeen, OverrideSeen, SettingSeen
from deploy.console.view.figures import clock_time, printable
from deploy.console.view.seen import MinerSeen, Mode, Status
from services.policy_engine.wording import span
from shared.messages import Action, Following, OverrideKind

_LABEL = 11
_FOLLOWS = {
    Following.COMMAND: "follows its command",
    Following.GRACE: "its lease has run out: in grace, the last command still stands",
    Following.FAILSAFE: "is at its failsafe: no live command",
    Following.EMERGENCY_STOP: "obeys the emergency stop",
    Following.NOTHING: "only reads: no command since it started",
}
_ACTIONS = {
    Action.APPLY: "",
    Action.OBSERVE: " (only watched: nothing is done to it)",
    Action.MAINTENANCE: " (maintenance: it is left alone)",
}
_KINDS = {
    OverrideKind.AUTOMATIC: "automatic",
    OverrideKind.PAUSE: "paused",
    OverrideKind.FORCE_ON: "forced on",
    OverrideKind.MAINTENANCE: "in maintenance",
    OverrideKind.LIMIT: "limited",
}


def explanation_text(told: Explanation, zone: tzinfo, width: int | None = None) -> list[Text]:
    """All of it, line by line; `width` of the terminal, None elsewhere."""
    page = _Page(told, zone)
    lines = [*page.headline(), Text(), *page.decision(), *page.people(), *page.device(), *page.around(), Text()]
    return [*lines, *page.limits(width)]


class _Page:
    def __init__(self, told: Explanation, zone: tzinfo) -> None:
        self._told = told
        self._zone = zone

    def headline(self) -> Iterator[Text]:
        miner = self._told.miner
        tone = Tone.BAD if miner.needs_a_person else Tone.HEAD
        said = f"{miner.name}: {miner.status.label.lower()}" + (" !" if miner.needs_a_person else "")
        yield Text().append(said, style=tone.value).append(f"  ({printable(miner.driver)})" if miner.driver else "")
        yield Text(f"  {miner.why}")

    def decision(self) -> Iterator[Text]:
        decision = self._told.decision
        if decision is None:
            yield _line("Commanded", "nothing: no engine has decided anything for it")
            return
        since = f"since {self._at(decision.since)} ({self._span(decision.since)})"
        yield _line(
            "Commanded", f"{decision.point}, {decision.power_w:g} W nominal, {since}{_ACTIONS[decision.action]}"
        )
        yield _line("Because", f"{decision.sentence}  [{decision.code}]")
        if decision.changes_when:
            yield _line("Changes", decision.changes_when)
        bound = next((limit for limit in self._told.limits if limit.binds), None)
        yield _line("Binds", "nothing holds it back" if bound is None else f"{bound.policy}: {_ceiling(bound)}")
        lease = "lease until" if decision.lease_is_live else "lease HAS RUN OUT at"
        heard = "" if self._told.engine.live else ", which is not heard"
        yield _line(
            "Engine", f"{decision.engine}, epoch {decision.epoch}{heard}; {lease} {self._at(decision.lease_ends_at)}"
        )

    def people(self) -> Iterator[Text]:
        stop = self._told.emergency_stop
        if stop is not None:
            yield _line("Stop", f"EMERGENCY STOP by {stop.by} at {self._at(stop.at)}{_because(stop.reason)}", Tone.BAD)
        for override in self._told.overrides:
            yield _line("Override", self._override(override))
        for setting in self._told.settings:
            yield _line("Setting", self._setting(setting))

    def _override(self, it: OverrideSeen) -> str:
        whose = "" if it.of == self._told.miner.name else f"group {it.of}: "
        watts = "" if it.max_w is None else f" to {it.max_w:g} W"
        end = "" if it.until is None else f" until {self._at(it.until)}"
        over = "" if it.in_force else " (over)"
        return f"{whose}{_KINDS[it.kind]}{watts} by {it.by} at {self._at(it.at)}{end}{_because(it.reason)}{over}"

    def _setting(self, it: SettingSeen) -> str:
        whose = "" if it.of == self._told.miner.name else f"group {it.of}: "
        in_file = "nothing in the file" if it.in_file is None else f"{_value(it.in_file, it.unit)} in the file"
        if it.chosen is None or it.at is None:
            return f"{whose}{it.key} {in_file}"
        return f"{whose}{it.key} {in_file}, {_value(it.chosen, it.unit)} chosen by {it.by} on {self._day(it.at)}"

    def device(self) -> Iterator[Text]:
        miner, care = self._told.miner, self._told.care
        yield _line("Agent", self._agent())
        yield _line("Reading", self._reading())
        if care is not None:
            tries = f"{len(care.tries)} tries within 24 h" if care.tries else "no try yet"
            given_up = "" if care.unstable_since is None else f"; given up at {self._at(care.unstable_since)}"
            changes = f"; {care.changes_when}" if care.changes_when else ""
            tone = Tone.BAD if miner.needs_a_person else Tone.PLAIN
            yield _line("Care", f"{care.sentence}  [{care.code}]; {tries}{given_up}{changes}", tone)
        else:
            yield _line("Care", "none: nothing has had to be done to bring it back")

    def _agent(self) -> str:
        miner = self._told.miner
        if miner.agent is None:
            return "unknown: nobody has told of it"
        if miner.following is None:
            return f"{miner.agent} is {'' if self._told.agent_live else 'not '}heard"
        desired = "" if self._told.desired is None else f"; wants {self._told.desired}"
        settled = {True: ", settled", False: ", NOT settled yet", None: ", nothing to settle"}[miner.settled]
        return f"{miner.agent} {_FOLLOWS[miner.following]}{desired}{settled}"

    def _reading(self) -> str:
        miner = self._told.miner
        if miner.read_at is None:
            return "none"
        age = "unknown" if miner.age_seconds is None else figures.ago(timedelta(seconds=miner.age_seconds))
        if miner.online is None:
            return f"unknown; the last one was made at {self._at(miner.read_at)}, {age}"
        if not miner.online:
            return f"it does not answer ({age})"
        return f"{age}: {', '.join(_measured(miner))}"

    def around(self) -> Iterator[Text]:
        told = self._told
        if told.outlet is not None:
            on = {True: "on", False: "off", None: "unknown"}[told.outlet.on]
            heard = "" if told.outlet.live else ": its agent is not heard"
            yield _line("Outlet", f"{on}{heard}, {figures.power(told.outlet.power_w)}")
        if told.worker is not None:
            seen = told.worker.last_seen_at
            last = "" if seen is None else f", last seen {self._span(seen)} ago"
            asked = told.worker.confirmed_at
            confirmed = "never confirmed" if asked is None else f"confirmed {self._span(asked)} ago"
            yield _line("Worker", f"{told.worker.verdict} at {told.worker.pool}, {confirmed}{last}")
        battery = told.battery
        if battery is not None:
            soc = figures.percent(battery.state_of_charge_percent)
            why = f" ({battery.detail or battery.unknown})" if battery.unknown else ""
            yield _line("Battery", f"SoC {soc}{why}; mode {told.mode.label}", Tone.BAD if why else Tone.PLAIN)
        elif told.mode is not Mode.AUTOMATIC:
            yield _line("Mode", told.mode.label)

    def limits(self, width: int | None) -> Iterator[Text]:
        limits = self._told.limits
        if width is not None:
            for limit in limits:
                yield from self._block(limit)
        elif limits:
            yield from fitting(self._columns(), Column("Says", [self._says(limit) for limit in limits]), width)
        if self._told.gates_passed:
            yield Text(f"  passed: {', '.join(self._told.gates_passed)} (gates)", style=Tone.QUIET.value)

    def _block(self, limit: LimitSeen) -> Iterator[Text]:
        """For a terminal, where a long sentence is wrapped and never cut."""
        mark = ">" if limit.binds else " "
        head = f"{mark} {_named(limit)}: {figures.ceiling(limit.ceiling_w)}, since {self._at(limit.since)}"
        yield Text(head, style=_tone(limit).value)
        yield Text(f"    {self._says(limit).text}", style=_tone(limit).value)

    def _columns(self) -> tuple[Column, ...]:
        limits = self._told.limits
        return (
            Column("", [Cell(">" if limit.binds else " ", _tone(limit)) for limit in limits]),
            Column("Policy", [Cell(_named(limit), _tone(limit)) for limit in limits]),
            Column("Ceiling", [Cell(figures.ceiling(limit.ceiling_w)) for limit in limits], is_number=True),
            Column("Since", [Cell(self._at(limit.since)) for limit in limits]),
        )

    def _says(self, limit: LimitSeen) -> Cell:
        point = "" if limit.point is None else f" → {limit.point}"
        changes = f"; {limit.changes_when}" if limit.changes_when else ""
        return Cell(printable(f"{limit.sentence}{point}{changes}"), _tone(limit))

    def _at(self, moment: datetime) -> str:
        return clock_time(moment, self._told.at, self._zone)

    def _day(self, moment: datetime) -> str:
        try:
            return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"
        except OverflowError:  # at the very ends of the calendar
            return moment.isoformat()

    def _span(self, since: datetime) -> str:
        return span(self._told.at - since)


def _line(label: str, text: str, tone: Tone = Tone.PLAIN) -> Text:
    return Text().append(f"{label:<{_LABEL}}", style=Tone.HEAD.value).append(printable(text), style=tone.value)


def _tone(limit: LimitSeen) -> Tone:
    return Tone.HEAD if limit.binds else Tone.PLAIN if limit.ceiling_w is not None else Tone.QUIET


def _named(limit: LimitSeen) -> str:
    return f"{limit.policy}{' (gate)' if limit.gate else ''}"


def _ceiling(limit: LimitSeen) -> str:
    return f"at most {figures.ceiling(limit.ceiling_w)}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _value(value: float | str, unit: str) -> str:
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"{shown} {unit}".rstrip()


def _measured(miner: MinerSeen) -> Iterator[str]:
    yield str(miner.state)
    if miner.status not in {Status.PAUSED, Status.OFF}:
        yield figures.hashrate(miner.hashrate_ths) if miner.hashrate_ths is not None else "hashrate ?"
    yield figures.power(miner.power_w) if miner.power_w is not None else "power ?"
    yield f"chip {figures.temperature(miner.chip_temperature_celsius)}"
    if miner.regulator_temperature_celsius is not None:
        yield f"regulator {figures.temperature(miner.regulator_temperature_celsius)}"
    if miner.settings not in {figures.NOT_APPLICABLE, figures.UNKNOWN}:
        yield miner.settings
    if miner.problem is not None:
        yield f"problem {miner.problem}"
