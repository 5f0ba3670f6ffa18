"""What `make bench` tells of a thousand miners, from one run with each number of replicas."""

from collections.abc import Callable, Iterator

from tests.bench import thousand
from tests.bench.figure import Figure
from tests.bench.thousand import Load

REPLICAS = (1, 2, 4)
_SHARE_PERCENT, _PSS_MB, _APART_PERCENT = 40.0, 128.0, 10.0


def figures(miners: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """Runs one after another. A run in which the machine did not keep up is told as not measured."""
    alone: float | None = None
    for replicas in REPLICAS:
        say(f"{miners} miners on {_agents(replicas)}: 90 s")
        load = thousand.measure(miners, replicas=replicas)
        if replicas == 1:
            alone = load.work_a_poll if load.counts else None
            yield from _of_one_agent(load)
        else:
            yield _apart(load, alone, replicas)
        yield from _of_the_broker(load, replicas)


def _of_one_agent(load: Load) -> Iterator[Figure]:
    agent = load.agents[0]
    note = f"{_reached(load)}; {_cost(load)}, {load.requests / load.polls:.2f} requests a poll"
    share = agent.cpu_share * 100 if load.counts else None
    yield Figure("one agent's share of a core", load.miners, share, "%", _SHARE_PERCENT, note=note)
    yield Figure("one agent, PSS", load.miners, agent.pss_mb, "MB", _PSS_MB, note=f"{agent.threads:.0f} threads")


def _apart(load: Load, alone: float | None, replicas: int) -> Figure:
    percent = None if alone is None or not load.counts else 100 * abs(load.work_a_poll / alone - 1)
    memory = ", ".join(f"{agent.pss_mb:.0f}" for agent in load.agents)
    note = f"{_reached(load)}; {_cost(load)} a poll; PSS {memory} MB"
    what = f"a poll's processor time, {_agents(replicas)}, apart"
    return Figure(what, load.miners, percent, "%", _APART_PERCENT, note=note)


def _of_the_broker(load: Load, replicas: int) -> Iterator[Figure]:
    broker, note = load.broker, f"RSS {load.broker.rss_mb:.0f} MB; engine {load.engine.cpu_share * 100:.0f} %"
    what = f"mosquitto's share of a core, {_agents(replicas)}"
    yield Figure(what, load.miners, broker.cpu_share * 100 if load.counts else None, "%", None, note=note)


def _reached(load: Load) -> str:
    told = f"{load.polls / load.seconds:.0f} polls/s, {load.reached * 100:.0f} % of what was due"
    return told if load.counts else f"DOES NOT COUNT, the machine was too busy: {told}"


def _cost(load: Load) -> str:
    return f"{load.cpu_ms_a_poll:.2f} ms = {load.work_a_poll:.1f} pieces of fixed work"


def _agents(replicas: int) -> str:
    return "1 agent" if replicas == 1 else f"{replicas} agents"
