"""`make bench`: how fast, as ratios and against targets, from one run on this machine."""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tests.bench import emergency, engine, hung_rigs, memory, ramps, reaction, real_home_assistant, thousand_figures
from tests.bench.figure import Figure, table

_MANY = 1000
_EPILOG = """\
reaction        SoC change -> last healthy miner's stop received; each web server takes 100 ms for an answer
emergency       `sunherd stop --all` with the broker dead: the last of 100 stops; each web server takes 100 ms, too
bitaxes         100 go from day to night by their schedule; an emergency stop in the midst of it
home-assistant  change in a real Home Assistant -> stop received; needs SUNHERD_E2E_HA_URL and SUNHERD_E2E_HA_TOKEN
round-trip      a message to the broker and back, QoS 1
decision        one miner's telemetry -> its command; one SoC message -> the last explained command
intake          the engine's share of a core at 2000 telemetry messages a second
thousand        1000 VNish miners read every 5 s: what one agent takes, what mosquitto does, and the same with 2 and 4
memory          the whole embedded farm: with miners alone, with plugs, and with plugs and pools
rigs            200 rigs with worker and plug; one of five pools hangs and five plugs: the latest check of all others

Reaction is beside a loop that visits one miner after another, with 5 s of patience for each request.
For 1000 miners that loop is not run but worked out from 100. Figures are medians where nothing else is said.

Bitaxes, of firmware 2.12 and 2.15 in turns, take 100 ms for an answer, too, and ramp as is preset. From the window's
beginning to the last setting sent may pass the ramp's own time and a tenth of it. Beside it: five at a time, as a
scheduler with five workers does it; run with 10 and worked out from that. Stops are the slowest of all, not a median.

A thousand miners: the engine, mosquitto, the stand-ins (20 ms for an answer) and each agent are processes of their own.
Where fewer than 95 % of the polls came about, the machine was too busy, and the run does not count. More replicas
share the miners; compared is the processor time of a poll by that of a fixed piece of work in the same run.

Rigs are checked every 30 s at their pools, in 50 accounts, and every 10 s at their plugs; answers take 50 ms. Told is
the worst of all whose own pool and plug answer, by the gap between two checks. Beside it: one after another, with 8 s
of patience; run with 40 rigs, of which as large a share hangs, and worked out from that.
"""

Measured = Iterator[Figure]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a table, or JSON; what is going on goes to stderr."""
    options = _options(arguments)
    names = options.only or list(_GROUPS)
    figures: list[Figure] = []
    with ThreadPoolExecutor() as background:
        # It only waits for answers, so that it may run while memory is looked at; nothing that is timed runs then.
        compared = {"reaction", "emergency"} & set(names)
        loops = _begin_sequential(background) if compared and not options.quick else {}
        for name in sorted(names, key=list(_GROUPS).index):
            figures += _measured(name, options, loops)
    if options.json:
        data = {"runs": options.runs, "figures": [figure.as_data() for figure in figures]}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        sys.stdout.write(table(figures))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="How fast Sunherd is on this machine: real sockets, a real mosquitto, processes as in production. "
        "Takes about a quarter of an hour; close other programs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=list(_GROUPS), help="measure this alone; may be repeated")
    parser.add_argument("--runs", type=int, default=3, help="changes of the state of charge in each farm (3)")
    parser.add_argument("--rounds", type=int, default=1, help="evenings of `bitaxes`, of seven minutes each (1)")
    parser.add_argument("--miners", type=int, nargs="+", default=[1, 10, 100, _MANY], help="farm sizes of `reaction`")
    parser.add_argument("--quick", action="store_true", help="without the sequential loops, which take 80 s")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    if min(*options.miners, options.runs, options.rounds) < 1:
        parser.error("--miners, --runs and --rounds take numbers from 1")
    return options


def _measured(name: str, options: argparse.Namespace, loops: "Loops") -> Measured:
    try:
        yield from _GROUPS[name](options, loops)
    except (FileNotFoundError, TimeoutError, RuntimeError) as error:
        _progress(f"{name}: {error}")
        yield Figure(name, None, None, "", 0.0, note=str(error).splitlines()[0])


def _progress(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


# --- the groups

Loops = dict[tuple[int, int], "Future[float]"]
_SILENT = {100: 10}
_BITAXES, _FEW_BITAXES, _STOPPED = 100, 10, 100
_RIGS = 200
_FARMS = (("", 80.0, False, False), (" with plugs", 110.0, True, False), (" with plugs and a pool", 110.0, True, True))
_SEQUENTIAL = ((1, 0), (10, 0), (100, 0), (100, 10))


def _begin_sequential(background: ThreadPoolExecutor) -> Loops:
    _progress("one after another: 80 s in the background")
    return {case: background.submit(reaction.sequential, case[0], silent=case[1]) for case in _SEQUENTIAL}


def _memory(_options: argparse.Namespace, _loops: Loops) -> Measured:
    _progress("memory of a whole farm")
    for what, target, plugs, pools in _FARMS:
        found = memory.whole_farm(plugs=plugs, pools=pools, settle_seconds=40.0)
        note = ", ".join(f"{role} {mb:.0f}" for role, mb in found.pss_mb.items())
        yield Figure(f"whole embedded farm{what}, PSS", found.miners, found.total_mb, "MB", target, note=note)


def _rigs(options: argparse.Namespace, _loops: Loops) -> Measured:
    _progress(f"{_RIGS} rigs, a pool and {hung_rigs.SILENT} plugs that hang: 90 s")
    found = hung_rigs.measure(_RIGS, sequential=not options.quick)
    yield _latest("latest check at a pool, one of five hangs", found.pools, found.sequential_pools_percent)
    yield _latest("latest reading of a plug, five silent", found.plugs, found.sequential_plugs_percent)


def _latest(what: str, late: hung_rigs.Lateness, sequential: float | None) -> Figure:
    note = f"in percent of its interval; median {late.median:.2f} %, {late.late} late"
    return Figure(what, len(late.percent), late.worst, "%", hung_rigs.TOLERATED_PERCENT, sequential, note)


def _thousand(_options: argparse.Namespace, _loops: Loops) -> Measured:
    yield from thousand_figures.figures(_MANY, _progress)


def _reaction(options: argparse.Namespace, loops: Loops) -> Measured:
    took = {case: loop.result() for case, loop in loops.items()}
    for count in options.miners:
        yield _stops(count, 0, options.runs, took.get((count, 0)) or _worked_out(count, took))
        silent = _SILENT.get(count)
        if silent is not None:
            yield _stops(count, silent, options.runs, took.get((count, silent)))


def _stops(count: int, silent: int, runs: int, sequential: float | None) -> Figure:
    _progress(f"reaction of {count} miners" + (f", {silent} of them silent" if silent else ""))
    found = reaction.measure(count, silent=silent, runs=runs)
    what = "SoC change to last stop" + (f", {silent} silent" if silent else "")
    note = f"{found.requests_before_stop} requests before a stop; slowest run {max(found.seconds):.2f} s"
    target = 3.0 if count > 100 else 0.5
    return Figure(what, count, found.median_seconds, "s", target, sequential, note)


def _emergency(options: argparse.Namespace, loops: Loops) -> Measured:
    for silent in (0, _SILENT[_STOPPED]):
        _progress(f"stop --all of {_STOPPED} miners with the broker dead" + (f", {silent} silent" if silent else ""))
        found = emergency.measure(_STOPPED, silent=silent, runs=options.runs)
        how = f", {silent} silent" if silent else ""
        loop = loops.get((_STOPPED, silent))
        sequential = None if loop is None else loop.result()
        configured, shell = statistics.median(found.from_configuration), statistics.median(found.from_shell)
        note = f"slowest run {max(found.from_configuration):.2f} s"
        yield Figure(f"stop --all, configuration to last stop{how}", _STOPPED, configured, "s", 0.3, sequential, note)
        note = f"slowest {max(found.from_shell):.2f} s; whole command {min(found.shell_processor):.2f} s of processor"
        yield Figure(f"stop --all, shell to last stop{how}", _STOPPED, shell, "s", 1.0, sequential, note)


def _worked_out(count: int, took: dict[tuple[int, int], float]) -> float | None:
    hundred = took.get((100, 0))
    return None if hundred is None else hundred * count / 100


def _bitaxes(options: argparse.Namespace, _loops: Loops) -> Measured:
    sequential = None
    if not options.quick:
        _progress(f"{_FEW_BITAXES} Bitaxes, five at a time: 80 s")
        sequential = ramps.sequential(_FEW_BITAXES) * _BITAXES / _FEW_BITAXES
    _progress(f"{_BITAXES} Bitaxes from day to night: {options.rounds} of seven minutes")
    found = ramps.measure(_BITAXES, silent=_SILENT[_BITAXES], rounds=options.rounds, say=_progress)
    yield _switch("", found.switch, sequential)
    yield _switch(f", {_SILENT[_BITAXES]} silent", found.switch_with_silent, None)
    for firmware, took in found.stops.items():
        note = f"median {statistics.median(took):.2f} s; {found.undervolted} undervolted, {found.deaf} web servers dead"
        what = f"emergency stop in mid-ramp, {firmware}, slowest"
        yield Figure(what, len(took) // options.rounds, max(took), "s", 1.0, note=note)


def _switch(how: str, took: list[float], sequential: float | None) -> Figure:
    note = f"ramp alone {ramps.RAMP_SECONDS:g} s; slowest round {max(took):.2f} s"
    target = 1.1 * ramps.RAMP_SECONDS
    return Figure(f"day to night{how}", _BITAXES, statistics.median(took), "s", target, sequential, note)


def _home_assistant(options: argparse.Namespace, _loops: Loops) -> Measured:
    what, target = "real Home Assistant's change to stop", 50.0
    if not real_home_assistant.is_there():
        note = f"NO REAL HOME ASSISTANT: set {real_home_assistant.URL_VARIABLE} and _TOKEN"
        yield Figure(what, 1, None, "ms", target, note=note)
        return
    _progress(what)
    took = [seconds * 1000 for seconds in real_home_assistant.change_to_stop(options.runs + 2)]
    yield Figure(what, 1, statistics.median(took), "ms", target, note=f"slowest run {max(took):.0f} ms")


def _round_trip(_options: argparse.Namespace, _loops: Loops) -> Measured:
    _progress("round trip")
    yield _p99("QoS 1 round trip, p99", None, engine.round_trip(), 2.0)


def _decision(_options: argparse.Namespace, _loops: Loops) -> Measured:
    for count, target in ((100, 5.0), (_MANY, 20.0)):
        _progress(f"telemetry to command, {count} miners")
        yield _p99("telemetry to command, p99", count, engine.telemetry_to_command(count), target)
    _progress(f"explained commands of {_MANY} miners")
    found = engine.explained_commands(_MANY)
    note = f"slowest run {found.worst_seconds * 1000:.0f} ms"
    yield Figure("SoC message to last explained command", _MANY, found.median_seconds * 1000, "ms", 250.0, note=note)


def _intake(_options: argparse.Namespace, _loops: Loops) -> Measured:
    _progress("intake of telemetry")
    found = engine.intake(_MANY)
    note = f"{found.per_second:.0f} messages/s; idle {found.idle_share * 100:.0f} %"
    yield Figure("engine's share of a core, intake", found.miners, found.cpu_share * 100, "%", 30.0, note=note)


def _p99(what: str, count: int | None, times: engine.Times, target: float) -> Figure:
    note = f"median {times.p50_seconds * 1000:.1f} ms, worst of {times.rounds} {times.worst_seconds * 1000:.1f} ms"
    return Figure(what, count, times.p99_seconds * 1000, "ms", target, note=note)


_GROUPS: dict[str, Callable[[argparse.Namespace, Loops], Measured]] = {
    "memory": _memory,
    "thousand": _thousand,
    "reaction": _reaction,
    "emergency": _emergency,
    "bitaxes": _bitaxes,
    "rigs": _rigs,
    "home-assistant": _home_assistant,
    "round-trip": _round_trip,
    "decision": _decision,
    "intake": _intake,
}


if __name__ == "__main__":
    sys.exit(main())
