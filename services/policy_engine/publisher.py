"""Says what was decided: the command of each miner that is news, and that of its outlet."""

from collections.abc import Mapping
from datetime import datetime

from services.policy_engine.explain import Term, is_worth_publishing
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm, with_commands, with_outlets
from services.policy_engine.telling import Change
from services.policy_engine.watchdog.outlet import is_outlet_news, outlet_command
from shared.messages import MinerCommand, PlugCommand
from shared.station import Station
from shared.topics import MINER_COMMAND, PLUG_COMMAND


class Publisher:
    """Only what is published becomes memory: so a restart, which knows nothing else, decides the very same."""

    def __init__(self, service: Station, rules: Rules) -> None:
        self._service = service
        self._rules = rules
        self._again: set[MinerId] = set()

    def say_again(self, *miners: MinerId) -> None:
        """What is decided next of these is said whether it is news or not: somebody has written over it."""
        self._again.update(miners)

    def publish(
        self, farm: Farm, decisions: Mapping[MinerId, MinerCommand], term: Term, now: datetime
    ) -> tuple[Farm, list[Change]]:
        """The farm after what was news has been said, and what has changed by it."""
        news = {name: command for name, command in decisions.items() if self._is_news(farm, name, command)}
        changes = [(name, farm.miners[name].command, command) for name, command in news.items()]
        farm = with_commands(farm, news)
        # The miner's command, which remembers why, goes before its outlet's: a crash between the two loses no try.
        for name, command in news.items():
            self._service.publish(MINER_COMMAND, name, command)
        outlets = self._outlets(farm, decisions, term, now)
        farm = with_outlets(farm, outlets)
        for name, outlet in outlets.items():
            self._service.publish(PLUG_COMMAND, name, outlet)
        self._again.difference_update(decisions)
        return farm, changes

    def _is_news(self, farm: Farm, miner: MinerId, command: MinerCommand) -> bool:
        return miner in self._again or is_worth_publishing(farm.miners[miner].command, command, miner)

    def _outlets(
        self, farm: Farm, decisions: Mapping[MinerId, MinerCommand], term: Term, now: datetime
    ) -> dict[MinerId, PlugCommand]:
        found = {}
        for name, command in decisions.items():
            view = farm.miners[name]
            outlet = outlet_command(view, name, command, self._rules, now, term)
            if outlet is not None and (name in self._again or is_outlet_news(view.outlet, outlet, name)):
                found[name] = outlet
        return found
