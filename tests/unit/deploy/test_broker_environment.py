"""`make env`: what it makes, what it leaves alone, and what it never shows."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.environment import PASSWORD_PREFIX, main

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / ".env.example"


def make(directory: Path) -> str:
    """Runs it there; returns the file."""
    file = directory / ".env"
    assert main(["--example", str(EXAMPLE), "--file", str(file)]) == 0
    return file.read_text(encoding="utf-8")


def passwords(text: str) -> dict[str, str]:
    return dict(re.findall(rf"^(?:export )?({PASSWORD_PREFIX}\w+)=(.+)$", text, re.MULTILINE))


def test_it_gives_everybody_a_strong_password_of_his_own_and_shows_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = passwords(make(tmp_path))
    said = capsys.readouterr()

    assert len(given) == 11
    assert len(set(given.values())) == 11
    for password in given.values():
        assert re.fullmatch(r"[A-Za-z0-9_-]{32}", password)
        assert password not in said.out + said.err
    assert "made, 11 new broker passwords." in said.out
    assert "Left empty, fill in what you use: HA_TOKEN" in said.out
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_two_farms_have_nothing_in_common(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = passwords(make(tmp_path / "a")), passwords(make(tmp_path / "b"))
    assert not set(first.values()) & set(second.values())


def test_it_changes_nothing_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = make(tmp_path)
    capsys.readouterr()
    assert make(tmp_path) == first
    assert "kept, 0 new broker passwords; nothing was missing." in capsys.readouterr().out


def test_it_fills_and_adds_what_is_missing_and_keeps_the_rest_to_the_letter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = (
        "# mine\n  HA_TOKEN = 'abc'\nexport SUNHERD_BROKER_PASSWORD_FLEET=keep=this\n"
        'SUNHERD_BROKER_PASSWORD_PEOPLE=""\nWEIRD LINE'
    )
    (tmp_path / ".env").write_text(mine, encoding="utf-8")

    text = make(tmp_path)

    lines = text.splitlines()
    assert lines[:3] == mine.splitlines()[:3]
    assert re.fullmatch(PASSWORD_PREFIX + r"PEOPLE=[A-Za-z0-9_-]{32}", lines[3])
    assert lines[4] == "WEIRD LINE"
    assert passwords(text)[PASSWORD_PREFIX + "FLEET"] == "keep=this"
    assert len(passwords(text)) == 11
    assert len(re.findall(r"^(?:export )?\s*[A-Z0-9_]+\s*=", text, re.MULTILINE)) == len(
        re.findall(r"^[A-Z0-9_]+=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert "kept, 10 new broker passwords." in capsys.readouterr().out


def test_a_file_that_others_could_read_is_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    (tmp_path / ".env").chmod(0o644)
    make(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert "It could be read by others" in capsys.readouterr().out


def test_without_the_example_it_says_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--example", str(tmp_path / "none"), "--file", str(tmp_path / ".env")]) == 2
    assert "none: No such file or directory. Fix: run this in the directory of the checkout" in capsys.readouterr().err
    assert not (tmp_path / ".env").exists()


def test_it_runs_before_anything_is_installed(tmp_path: Path) -> None:
    """-S and -I: no site packages, no environment."""
    program = "import sys; sys.path.insert(0, sys.argv.pop()); import deploy.environment as e; sys.exit(e.main())"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", program, "--example", str(EXAMPLE), str(ROOT)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".env").exists()
