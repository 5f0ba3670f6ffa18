"""The table of `sunherd status`: a line for each miner, or for each group of many, and the total. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from rich.cells import cell_len
from rich.text import Text

from deploy.console.view import figures
from deploy.console.view.columns import Cell, Column, Tone, clipped, fitting
from deploy.console.view.figures import NOT_APPLICABLE, UNKNOWN
from deploy.console.view.seen import FarmSeen, GroupSeen, MinerSeen, Mode, Status, Total
from deploy.console.view.totals import covered, efficiency_text, total_line, total_of
from shared.messages import MinerState

FOLD_ABOVE = 40
"""More miners than that are shown by their groups."""
_RULE_WIDTH = 100
"""Where nothing says how wide it may be."""
_NO_GROUP = "(no group)"
_TONES = {
    Status.HASHING: Tone.GOOD,
    Status.PAUSED: Tone.QUIET,
    Status.OFF: Tone.QUIET,
    Status.RAMPING: Tone.CARE,
    Status.STOPPING: Tone.CARE,
}
_WARM_CELSIUS = 10.0
"""So far below its limit a chip is shown in the colour of care."""


@dataclass(frozen=True)
class Look:
    """How it is to be shown."""

    zone: tzinfo
    width: int | None = None
    """Of the terminal; None for a file or a pipe, where each miner keeps its whole line."""
    folds: bool = True


def table(farm: FarmSeen, look: Look) -> list[Text]:
    """Everything, line by line."""
    folds = look.folds and look.width is not None and len(farm.miners) > FOLD_ABOVE
    rows = _by_group(farm, look) if folds else _by_miner(farm.miners, look)
    widest = max(cell_len(line.plain) for line in rows)
    rule_width = _RULE_WIDTH if look.width is None else min(widest, look.width)
    lines = [*_header(farm, look), Text("=" * rule_width), rows[0], Text("-" * rule_width), *rows[1:]]
    lines += [Text("-" * rule_width), Text(total_line(farm.total), style=Tone.HEAD.value), Text("=" * rule_width)]
    lines += [Text(f"! {sentence}", style=Tone.BAD.value) for sentence in farm.attention]
    return lines if look.width is None else [_at_most(line, look.width) for line in lines]


def _at_most(line: Text, width: int) -> Text:
    # What needs a person is wrapped by the terminal rather than cut.
    return line if line.plain.startswith(("!", "TOTAL:")) else clipped(line, width)


# --- the header


def _header(farm: FarmSeen, look: Look) -> list[Text]:
    local = farm.at.astimezone(look.zone)
    first = Text(f"Miner Status - {local:%Y-%m-%d %H:%M:%S}", style=Tone.HEAD.value)
    mode_tone = {Mode.AUTOMATIC: Tone.GOOD, Mode.OBSERVING: Tone.CARE}.get(farm.mode, Tone.BAD)
    second = Text().append(_battery(farm), style=_battery_tone(farm).value).append(" · mode ")
    second.append(farm.mode.label, style=mode_tone.value).append(f" · {_engine(farm)}")
    return [first, second]


def _battery(farm: FarmSeen) -> str:
    battery = farm.battery
    if battery is None:
        return "no battery"
    if battery.state_of_charge_percent is None:
        return f"Battery unknown ({battery.detail or battery.unknown})"
    age = "" if battery.age_seconds is None else f" ({figures.ago(timedelta(seconds=battery.age_seconds))})"
    return f"Battery {figures.percent(battery.state_of_charge_percent)}{age}"


def _battery_tone(farm: FarmSeen) -> Tone:
    unknown = farm.battery is not None and farm.battery.state_of_charge_percent is None
    return Tone.BAD if unknown else Tone.PLAIN


def _engine(farm: FarmSeen) -> str:
    if farm.engine.instance is None:
        return "no engine"
    return f"engine {farm.engine.instance}" + ("" if farm.engine.live else " (not heard)")


# --- a line for each miner


def _by_miner(miners: Sequence[MinerSeen], look: Look) -> list[Text]:
    def column(title: str, of: Callable[[MinerSeen], Cell], rank: int, *, is_number: bool = True) -> Column:
        return Column(title, [of(each) for each in miners], is_number=is_number, gives_way=rank)

    columns = (
        column("Name", lambda each: Cell(each.name), 0, is_number=False),
        column("Status", _status, 0, is_number=False),
        column("Hashrate", lambda each: _figure(each, figures.hashrate(each.hashrate_ths)), 2),
        column("Temp", _temperature, 3),
        column("Power", lambda each: Cell(figures.power(each.power_w)), 1),
        column("Efficiency", _efficiency, 5),
        column("Settings", lambda each: Cell(each.settings), 4, is_number=False),
    )
    return fitting(columns, Column("Why", [Cell(each.why) for each in miners]), look.width)


def _status(miner: MinerSeen) -> Cell:
    mark = " !" if miner.needs_a_person else ""
    tone = Tone.BAD if miner.needs_a_person else _TONES.get(miner.status, Tone.BAD)
    return Cell(f"{miner.status.label}{mark}", tone)


def _figure(miner: MinerSeen, text: str) -> Cell:
    return Cell(NOT_APPLICABLE if miner.status in {Status.PAUSED, Status.OFF} else text)


def _efficiency(miner: MinerSeen) -> Cell:
    if miner.online and miner.state is not MinerState.HASHING:
        return Cell(NOT_APPLICABLE)
    return Cell(figures.efficiency(miner.efficiency_j_per_th))


def _temperature(miner: MinerSeen) -> Cell:
    celsius, limit = miner.chip_temperature_celsius, miner.chip_limit_celsius
    text = figures.temperature(celsius)
    if celsius is None or limit is None:
        return Cell(text)
    if celsius > limit:
        return Cell(f"{text}!", Tone.BAD)
    return Cell(text, Tone.CARE if celsius > limit - _WARM_CELSIUS else Tone.PLAIN)


# --- a line for each group


def _by_group(farm: FarmSeen, look: Look) -> list[Text]:
    grouped = {member for group in farm.groups for member in group.members}
    alone = [each for each in farm.miners if each.name not in grouped]
    rest = GroupSeen(name=_NO_GROUP, members=tuple(each.name for each in alone), total=total_of(alone))
    groups = [*farm.groups, *([rest] if alone else [])]
    sore = {each.name for each in farm.miners if each.needs_a_person}

    def column(title: str, of: Callable[[Total], str], rank: int) -> Column:
        return Column(title, [Cell(of(each.total)) for each in groups], is_number=True, gives_way=rank)

    columns = (
        Column("Group", [Cell(each.name) for each in groups]),
        column("Online", lambda total: f"{total.online}/{total.miners}", 0),
        column("Hashing", lambda total: str(total.hashing) if total.online else UNKNOWN, 1),
        column("Hashrate", lambda it: covered(figures.hashrate(it.hashrate_ths), it.hashrate_known, it.online), 3),
        column("Power", lambda it: covered(figures.power(it.power_w), it.power_known, it.online), 2),
        column("Efficiency", efficiency_text, 4),
    )
    troubles = [_troubles([name for name in each.members if name in sore]) for each in groups]
    last = Column("Needs a person", troubles)
    return [*fitting(columns, last, look.width), Text(_HINT, style=Tone.QUIET.value)]


_HINT = "folded into groups; --all shows each miner, sunherd explain NAME tells why"


def _troubles(names: Sequence[str]) -> Cell:
    if not names:
        return Cell(NOT_APPLICABLE)
    return Cell(f"{len(names)}: {', '.join(names)}", Tone.BAD)
