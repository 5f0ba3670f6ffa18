"""Where the commands of the pages are run: beside a running farm, or in a directory of their own with its farm file."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from tests.docs.markdown import ROOT
from tests.waiting import eventually

MINERS_JSON = '[{"ip": "192.168.88.20", "password": "admin", "stop_soc": 73, "resume_soc": 75}]'
RIGS_JSON = """[{"status_api": "2miners", "coin": "bch", "wallet": "0x12ab", "worker_name": "Rig 7",
  "kasa_device_ip": "192.168.88.50", "smart_strip_plug_name": "Rig 7", "time_until_offline": 10}]"""
SCHEDULER_JSON = """{"miners": [{"name": "Bitaxe-1", "ip": "192.168.88.31"}],
  "global_day_settings": {"start_time": "07:30", "end_time": "20:00", "voltage": 1150, "frequency": 450},
  "global_night_settings": {"voltage": 1250, "frequency": 550}}"""
MINERS_CSV = "name,host\nbitaxe-8,192.168.88.38\nbitaxe-9,192.168.88.39\n"
FILES = {
    "miners.json": MINERS_JSON,
    "rigs.json": RIGS_JSON,
    "multi_scheduler_config.json": SCHEDULER_JSON,
    "miners.csv": MINERS_CSV,
}
"""What a reader has, and the pages name."""


@dataclass(frozen=True)
class Sandbox:
    """The directory of a farm that runs, and the addresses of its stand-ins."""

    directory: Path

    @property
    def home_assistant_url(self) -> str:
        data = YAML(typ="safe").load((self.directory / "farm.yaml").read_text(encoding="utf-8"))
        return str(data["battery"]["home_assistant"]["url"])

    def port_of(self, miner: str) -> str:
        """Where a miner's page is, or its outlet."""
        data = YAML(typ="safe").load((self.directory / "farm.yaml").read_text(encoding="utf-8"))
        keys = data["miners"][miner]
        return str(keys.get("host") or keys["plug"]["host"]).rpartition(":")[2]

    def apart(self, directory: Path, *, with_farm_file: bool, observe: bool = False) -> Path:
        """A directory of its own, where a command may write what it likes."""
        for name, text in FILES.items():
            (directory / name).write_text(text, encoding="utf-8")
        if with_farm_file:
            text = (self.directory / "farm.yaml").read_text(encoding="utf-8")
            (directory / "farm.yaml").write_text(("observe: true\n" if observe else "") + text, encoding="utf-8")
            shutil.copy(self.directory / ".env", directory)
        return directory


def environment() -> dict[str, str]:
    """That of a shell in which nothing of a farm is set."""
    kept = {key: value for key, value in os.environ.items() if not re.match("SUNHERD|HA_|MQTT_|VNISH_", key)}
    return kept | {"PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "200"}


def sunherd(directory: Path, words: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `sunherd` with these words to its end. Nobody is at the terminal."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.console", *words],
        cwd=directory,
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sunherd_for_a_while(directory: Path, words: Sequence[str], until: str) -> subprocess.CompletedProcess[str]:
    """Runs one that stays, until it has said something, and then presses Ctrl-C."""
    return for_a_while(directory, [sys.executable, "-m", "deploy.console", *words], until)


def for_a_while(directory: Path, command: Sequence[str], until: str) -> subprocess.CompletedProcess[str]:
    """The same for any command."""
    out = directory / "said.txt"
    with out.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, cwd=directory, env=environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        said = eventually(lambda: until in out.read_text(encoding="utf-8") or process.poll() is not None, 40)
        assert said, f"not heard: {until}"
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)
    return subprocess.CompletedProcess(command, process.returncode, out.read_text(encoding="utf-8"), "")


@contextmanager
def standing_farm(directory: Path) -> Iterator[Sandbox]:
    """The farm, once the engine has decided about each miner."""
    log = directory / "farm.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.standing_farm"],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        connection = directory / ".sunherd" / "connection.json"
        assert eventually(lambda: connection.exists() or process.poll() is not None, 30)
        assert process.poll() is None, log.read_text(encoding="utf-8")
        told = eventually(lambda: sunherd(directory, ["status"]).returncode == 0, 60)
        assert told, sunherd(directory, ["status"]).stdout + log.read_text(encoding="utf-8")
        yield Sandbox(directory)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
