"""A farm file of stand-ins, and what `sunherd check` says of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from deploy.broker import RunningBroker
from deploy.console.app import build
from tests.finding_farm import PASSWORD, SOC, TOKEN, FindingFarm, finding_farm

FARM = """\
site: {{time_zone: Europe/Lisbon}}
broker: {{url: "mqtt://127.0.0.1:{broker}", username: sunherd}}
battery: {{home_assistant: {{url: "{home_assistant}", state_of_charge: {soc}}}}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{s19-20}", mac: "02:00:00:00:00:20", stop_soc: 50, resume_soc: 60,
           worker: ckpool/bc1qowner/{worker}}}
  s19-21: {{driver: vnish, host: "127.0.0.1:{s19-21}", stop_soc: 50, resume_soc: 60}}
  bitaxe-1: {{driver: bitaxe, host: "127.0.0.1:{bitaxe-1}", mac: "{mac}"}}
  bitaxe-2: {{driver: bitaxe, host: "127.0.0.1:{bitaxe-2}"}}
  rig-7: {{driver: plug, nominal_w: 1100, plug: {{host: "127.0.0.1:{rig-7}", outlet: {outlet}, protocol: legacy}}}}
pools: {{ckpool: {{url: "http://127.0.0.1:{pool}"}}}}
"""


@dataclass
class World:
    """The stand-ins, and what the owner has written of them."""

    farm: FindingFarm
    directory: Path
    broker: RunningBroker
    written: dict[str, Any]
    variables: dict[str, str]

    def write(self) -> None:
        text = FARM.format_map(self.written)
        (self.directory / "farm.yaml").write_text(text, encoding="utf-8")

    def check(self, *arguments: str) -> Result:
        self.write()
        file = str(self.directory / "farm.yaml")
        return CliRunner().invoke(build(), ["--farm", file, "check", *arguments], env=self.variables)

    def live(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """The exit code and all findings by kind and name."""
        done = self.check("--live", "--json")
        assert PASSWORD not in done.output
        assert TOKEN not in done.output
        assert self.broker.password not in done.output
        answer = json.loads(done.stdout)
        return done.exit_code, {f"{each['kind']} {each['name']}": each for each in answer["live"]}


@contextmanager
def checked_farm(directory: Path, broker: RunningBroker) -> Iterator[World]:
    """Everything as it should be."""
    with finding_farm() as farm:
        written = farm.ports | {
            "broker": broker.port,
            "home_assistant": farm.home_assistant.url,
            "soc": SOC,
            "mac": farm.bitaxes["bitaxe-1"].mac,
            "outlet": 1,
            "worker": "s19-20",
        }
        variables = {"HA_TOKEN": TOKEN, "VNISH_PASSWORD": PASSWORD, "MQTT_PASSWORD": broker.password}
        yield World(farm, directory, broker, written, variables)
