"""What stands behind the `make ...` of the pages is run where it needs no farm and nothing of the system."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.docs.sandbox import environment
from tests.docs.test_make_commands import behind

WRITERS = {
    "deploy.console_page",
    "deploy.environment",
    "deploy.home_assistant_kit",
    "deploy.locks.access_list",
    "deploy.locks.certificates",
    "deploy.settings_page",
    "deploy.topics_page",
}
"""They need a directory that looks like the checkout, and nothing else."""
WRITE = [(module, rest) for module, rest in behind() if module in WRITERS]
CHECK = [(module, rest) for module, rest in behind() if module == "deploy.embedded" and "--check" in rest]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a command finds in the directory of the project, as far as it may write there."""
    directory = tmp_path_factory.mktemp("checkout")
    for name in ("docs", "mosquitto/certificates", "mosquitto/own"):
        (directory / name).mkdir(parents=True)
    shutil.copy(ROOT / ".env.example", directory)
    shutil.copy(ROOT / "farm.example.yaml", directory / "farm.yaml")
    (directory / ".env").write_text("HA_TOKEN=a-token\n", encoding="utf-8")
    return directory


@pytest.mark.parametrize(("module", "rest"), [*WRITE, *CHECK], ids=str)
def test_what_writes_or_checks_does_so(module: str, rest: str, checkout: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m {module}{rest}"],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{module}{rest}: {done.stdout}{done.stderr}"
    target = rest.partition(">")[2].strip()
    assert not target or (checkout / target).stat().st_size > 0


def test_they_are_found() -> None:
    assert WRITE
    assert CHECK
