"""The systemd units: what systemd says of them, and that they agree with our code and with one another."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from shared.launch import EXIT_BAD_INPUT
from shared.service import BEAT_SECONDS

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
WHOLE, SINGLE = "sunherd.service", "sunherd@.service"
INSTALLED = "/opt/sunherd/.venv/bin/python"
EXPOSURE_MAX = 20
"""Of 100: 14 is what systemd 252 finds. A unit without any shield has 96."""
SERVICES = sorted(folder.name for folder in (ROOT / "services").iterdir() if (folder / "__main__.py").exists())

Settings = dict[str, list[str]]


def settings(unit: str) -> Settings:
    """Each key with all its values, in order."""
    found: Settings = defaultdict(list)
    for line in (UNITS / unit).read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key].append(value)
    return found


def in_reach(unit: str, directory: Path) -> Path:
    """A copy of the unit whose program is here: systemd looks whether it can be executed."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    assert INSTALLED in text
    copy = directory / unit
    copy.write_text(text.replace(INSTALLED, str(Path(sys.executable).resolve())), encoding="utf-8")
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("NO systemd-analyze: systemd itself does not look at the units here")
    return subprocess.run([program, "--no-pager", *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("unit", [WHOLE, SINGLE])
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", str(in_reach(unit, tmp_path)))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_find_a_slip_of_the_pen(tmp_path: Path) -> None:
    copy = in_reach(WHOLE, tmp_path)
    copy.write_text(copy.read_text(encoding="utf-8").replace("ProtectHome=yes", "ProtectHoem=yes"), encoding="utf-8")
    assert "ProtectHoem" in analyze("verify", "--man=no", str(copy)).stderr


@pytest.mark.parametrize("unit", [WHOLE, SINGLE])
def test_systemd_finds_it_well_shielded(unit: str, tmp_path: Path) -> None:
    copy = in_reach(unit, tmp_path)
    asked = ("security", "--offline=true", f"--threshold={EXPOSURE_MAX}")
    done = analyze(*asked, str(copy))
    if "nrecognized option" in done.stderr:
        pytest.skip("THIS systemd-analyze IS OLDER THAN 250: nobody looks at the shields here")
    assert done.returncode == 0, done.stdout
    copy.write_text(re.sub(r"(?m)^(Protect|Restrict|System|Capab)\w+=.*\n", "", copy.read_text(encoding="utf-8")))
    assert analyze(*asked, str(copy)).returncode != 0, "without shields it would say so"


def test_both_are_shielded_alike() -> None:
    own = {"Description", "Type", "ExecStart", "ExecStartPre", "Environment", "TimeoutStopSec", "MemoryMax", "TasksMax"}
    own |= {"After", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "KillMode"}
    own |= {"NotifyAccess", "WatchdogSec", "WatchdogSignal"}
    whole, single = settings(WHOLE), settings(SINGLE)
    assert {key: value for key, value in whole.items() if key not in own} == {
        key: value for key, value in single.items() if key not in own
    }


@pytest.mark.parametrize("unit", [WHOLE, SINGLE])
def test_bad_input_is_not_tried_again(unit: str) -> None:
    found = settings(unit)
    assert found["Restart"] == ["on-failure"]
    assert found["RestartPreventExitStatus"] == [str(EXIT_BAD_INPUT)]
    assert found["StartLimitIntervalSec"] == ["0"], "all else is tried for ever"


@pytest.mark.parametrize("unit", [WHOLE, SINGLE])
def test_it_is_bounded_and_never_root(unit: str) -> None:
    found = settings(unit)
    assert found["DynamicUser"] == ["yes"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["MemoryMax"]
    assert found["TasksMax"]


def test_the_watchdog_is_patient_with_a_busy_machine() -> None:
    found = settings(SINGLE)
    assert float(found["WatchdogSec"][0]) >= 4 * BEAT_SECONDS
    assert found["NotifyAccess"] == ["main"]
    # READY=1 is never said, and whoever waits for it would wait for ever.
    assert found["Type"] == settings(WHOLE)["Type"] == ["exec"]


def test_what_is_started_exists() -> None:
    module = settings(WHOLE)["ExecStart"][0].removeprefix(f"{INSTALLED} -m ").split()[0]
    assert importlib.util.find_spec(module) is not None
    assert settings(SINGLE)["ExecStart"] == [f"{INSTALLED} -m services.%i"]
    named = set(re.findall(r"sunherd@([a-z_]+)", (UNITS / SINGLE).read_text(encoding="utf-8")))
    assert named
    assert named <= set(SERVICES)


@pytest.mark.parametrize("unit", [WHOLE, SINGLE])
def test_secrets_are_files_and_no_value_stands_in_a_unit(unit: str) -> None:
    found = settings(unit)
    assert "SUNHERD_SECRETS_DIR=%d" in found["Environment"]
    assert {"HA_TOKEN", "MQTT_PASSWORD", "VNISH_PASSWORD"} <= set(found["LoadCredential"])
    assert not [value for value in found["Environment"] if re.search("TOKEN|PASSWORD|KEY", value)]
    assert not found["EnvironmentFile"]
