"""Runs the command `sunherd` in this process, and tells its exit code and what it said."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.console.app import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Console:
    """`sunherd --farm FILE ...`, for one farm file."""

    def __init__(self, farm: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.farm = farm
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        self._monkeypatch.setattr(sys, "argv", ["sunherd", "--farm", str(self.farm), *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err.replace(f"{self.farm.parent}/", ""))

    @property
    def text(self) -> str:
        return self.farm.read_text(encoding="utf-8")
