"""Packages that are left out: who needs them hears so, and everybody else gets the real ones."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kasa_power_agent.hollow import is_left_out, left_out

PACKAGE, USER = "left_out_package", "left_out_user"


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    inner = tmp_path / PACKAGE / "inner"
    inner.mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").write_text("")
    (inner / "__init__.py").write_text("def tool():\n    return 'real'\n")
    (tmp_path / f"{USER}.py").write_text(f"from {PACKAGE}.inner import tool\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("left_out_")]:
        del sys.modules[name]


def used() -> object:
    return __import__(USER).tool()


def test_what_is_imported_meanwhile_does_without() -> None:
    with left_out(PACKAGE):
        __import__(USER)
    with pytest.raises(NotImplementedError, match="tool was left out"):
        used()


def test_afterwards_the_real_one_is_there() -> None:
    with left_out(PACKAGE):
        __import__(USER)
    del sys.modules[USER]
    assert used() == "real"


def test_it_is_known_for_good_what_was_left_out() -> None:
    with left_out(PACKAGE):
        pass
    assert is_left_out(PACKAGE)
    assert not is_left_out("another_package")


def test_only_what_is_named_is_left_out() -> None:
    with left_out("left_out_pack", f"{PACKAGE}.inn"):
        assert used() == "real"


def test_a_part_of_a_package_may_be_left_out() -> None:
    with left_out(f"{PACKAGE}.inner"):
        assert __import__(PACKAGE).__file__ is not None
        with pytest.raises(NotImplementedError):
            used()


def test_what_was_there_before_stays() -> None:
    assert used() == "real"
    del sys.modules[USER]
    with left_out(PACKAGE):
        assert used() == "real"


def test_a_failure_within_leaves_nothing_behind() -> None:
    with pytest.raises(ModuleNotFoundError), left_out(PACKAGE):
        __import__("left_out_by_nobody")
    assert used() == "real"
