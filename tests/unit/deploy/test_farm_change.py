"""A farm file is changed whole or not at all: by one at a time, never into a wrong one, whatever dies on the way."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.console.editing.edits import Edit, Put
from deploy.console.editing.farm_file import change_farm, locked, read_text
from deploy.console.trouble import TroubleError
from shared.settings import FarmFileError, load_farm

FARM = "# mine\nminers:\n  a: {driver: vnish, host: 192.168.1.20}   # first\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "farm.yaml"
    file.write_text(FARM, encoding="utf-8")
    return file


def adding(name: str, host: str) -> Callable[[dict[str, object]], list[Edit]]:
    return lambda _: [Put(("miners",), {name: {"driver": "vnish", "host": host}})]


def test_the_file_before_is_kept_and_the_one_before_that(file: Path) -> None:
    change = change_farm(file, adding("b", "192.168.1.21"))
    once = read_text(file)
    assert change.backup == file.with_name("farm.yaml.bak")
    assert change.backup is not None
    assert change.backup.read_text(encoding="utf-8") == FARM
    change_farm(file, adding("c", "192.168.1.22"))
    assert (file.parent / "farm.yaml.bak").read_text(encoding="utf-8") == once
    assert (file.parent / "farm.yaml.bak2").read_text(encoding="utf-8") == FARM
    assert sorted(each.name for each in file.parent.iterdir()) == ["farm.yaml", "farm.yaml.bak", "farm.yaml.bak2"]


def test_a_change_that_makes_it_wrong_is_refused_with_what_the_services_would_say(file: Path) -> None:
    with pytest.raises(TroubleError) as caught:
        change_farm(file, adding("b", "192.168.1.20"))
    said = str(caught.value).replace(f"{file.parent}/", "").splitlines()
    assert said[0].startswith("farm.yaml: miners.b.host: 192.168.1.20:80 is already the address of a. Fix: ")
    assert said[-1] == "With this change farm.yaml would be wrong; it is as it was."
    assert (read_text(file), len(list(file.parent.iterdir()))) == (FARM, 1)


def test_a_file_that_is_wrong_already_is_told_so(file: Path) -> None:
    wrong = FARM + "graze: 5\n"
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(FarmFileError, match=r"farm.yaml:4: graze: unknown key"):
        change_farm(file, adding("b", "192.168.1.21"))
    assert read_text(file) == wrong


def test_a_trial_writes_nothing(file: Path) -> None:
    change = change_farm(file, adding("b", "192.168.1.21"), dry_run=True)
    assert "192.168.1.21" in change.after
    assert (change.backup, read_text(file), len(list(file.parent.iterdir()))) == (None, FARM, 1)


def test_a_change_that_changes_nothing_turns_no_backup_over(file: Path) -> None:
    change_farm(file, adding("b", "192.168.1.21"))
    change_farm(file, lambda _: [Put(("miners", "a"), {"driver": "vnish"})])
    assert (file.parent / "farm.yaml.bak").read_text(encoding="utf-8") == FARM


def test_a_secret_that_is_missing_stands_in_nobodys_way(file: Path) -> None:
    battery = 'battery: {home_assistant: {url: "http://ha:8123", state_of_charge: sensor.soc}}\n'
    file.write_text(FARM + battery, encoding="utf-8")
    change_farm(file, adding("b", "192.168.1.21"))
    assert "192.168.1.21" in read_text(file)


def test_the_mode_stays(file: Path) -> None:
    file.chmod(0o640)
    change_farm(file, adding("b", "192.168.1.21"))
    assert file.stat().st_mode & 0o7777 == 0o640
    assert (file.parent / "farm.yaml.bak").stat().st_mode & 0o7777 == 0o640


def test_a_link_stays_a_link_and_its_file_is_changed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "my.yaml"
    link.symlink_to(file)
    change_farm(link, adding("b", "192.168.1.21"))
    assert link.is_symlink()
    assert "192.168.1.21" in read_text(file)
    assert [each.name for each in elsewhere.iterdir()] == ["my.yaml"]


def test_line_ends_and_the_byte_order_mark_survive_on_the_disk(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + FARM.replace("\n", "\r\n").encode())
    change_farm(file, adding("b", "192.168.1.21"))
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# mine\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 4


def test_a_file_that_is_no_text_is_told_so(file: Path) -> None:
    file.write_bytes(FARM.encode("utf-16"))
    with pytest.raises(TroubleError, match=r"is not text in UTF-8\. Fix: "):
        change_farm(file, adding("b", "192.168.1.21"))


def test_changes_at_once_lose_nothing(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: change_farm(file, adding(f"m{n}", f"192.168.2.{n}")), range(12)))
    assert set(load_farm(file).miners) == {"a", *(f"m{n}" for n in range(12))}


def test_whoever_waits_too_long_is_told_so(file: Path) -> None:
    with (
        locked(file),
        pytest.raises(TroubleError, match=r"is being changed by another command\. Fix: "),
        locked(file, 0.1),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EBUSY, "is mounted by itself, as into a container, and cannot be replaced in one step. Fix: "),
        (errno.EROFS, "cannot be replaced: Read-only file system. Fix: "),
        (errno.EACCES, "cannot be replaced: Permission denied. Fix: "),
        (errno.ENOSPC, "cannot be written: No space left on device. Fix: "),
    ],
)
def test_a_disk_that_refuses_leaves_the_file_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", refuses)
    with pytest.raises(TroubleError, match=said):
        change_farm(file, adding("b", "192.168.1.21"))
    assert read_text(file) == FARM
    assert not [each for each in file.parent.iterdir() if each.name.endswith(".new")]


_BIND = """
mount --bind "$1" "$1" || exit 77
"$2" -m deploy.console --farm "$1" miners add b --driver vnish --host 192.168.1.21
"""


def test_a_file_that_is_mounted_by_itself_is_told_so(file: Path) -> None:
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _BIND, "sh", str(file), sys.executable]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."}
        )
    except FileNotFoundError:
        pytest.skip("SKIPPED: no unshare here, so no file could be mounted by itself")
    if done.returncode not in {0, 2}:
        pytest.skip(f"SKIPPED: nothing may be mounted here: {done.stderr.strip()[-200:]}")
    assert "is mounted by itself, as into a container" in done.stderr
    assert read_text(file) == FARM


# Dies at the n-th call that touches the disk, as by a power cut: nothing after it is done, not even `finally`.
_DYING = """
import os, sys
from pathlib import Path
from deploy.console.editing.edits import Put
from deploy.console.editing.farm_file import change_farm
left = [int(sys.argv[2])]
def dies(call):
    def counted(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
        return call(*args, **kwargs)
    return counted
os.fsync, os.fchmod, os.fdopen = dies(os.fsync), dies(os.fchmod), dies(os.fdopen)
Path.replace, Path.unlink = dies(Path.replace), dies(Path.unlink)
change_farm(Path(sys.argv[1]), lambda _: [Put(("miners",), {"b": {"driver": "vnish", "host": "192.168.1.21"}})])
"""


def test_whoever_dies_on_the_way_leaves_the_old_file_or_the_new_one(file: Path) -> None:
    new = FARM + "  b: {driver: vnish, host: 192.168.1.21}\n"
    seen = []
    for number in range(40):
        for each in file.parent.iterdir():
            each.unlink()
        file.write_text(FARM, encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", _DYING, str(file), str(number)], check=False)
        seen.append(read_text(file))
        assert seen[-1] in {FARM, new}
        assert not load_farm(file).observe
        if done.returncode == 0:
            break
        assert done.returncode == 9
        # What it leaves behind is in nobody's way.
        change_farm(file, adding("c", "192.168.1.22"))
        assert set(load_farm(file).miners) >= {"a", "c"}
    assert len(seen) > 8
    assert (seen[0], seen[-1]) == (FARM, new)
