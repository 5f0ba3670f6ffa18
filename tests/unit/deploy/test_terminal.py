"""What a person sees: lines that stay, and one that is written over."""

import io

import pytest

from deploy.terminal import Terminal


class Screen(io.StringIO):
    """A terminal of 40 columns that remembers what is on it."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        return [line.rpartition("\x1b[2K")[2] for line in self.getvalue().split("\n")]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    return Screen()


def test_the_status_is_written_over_and_stays_below_the_lines(screen: Screen) -> None:
    terminal = Terminal(screen)
    terminal.show("SoC 72.9 %")
    terminal.show("SoC 73.0 %")
    assert screen.lines == ["SoC 73.0 %"]
    terminal.say("[s19-20] mining stopped")
    assert screen.lines == ["[s19-20] mining stopped", "SoC 73.0 %"]
    terminal.close()
    terminal.say("1 changes in all")
    assert screen.lines == ["[s19-20] mining stopped", "SoC 73.0 %", "1 changes in all", ""]


def test_a_status_never_wraps(screen: Screen) -> None:
    Terminal(screen).show("x" * 41)
    assert screen.lines == ["x" * 38 + "…"]


def test_what_a_device_says_does_not_steer_the_terminal(screen: Screen) -> None:
    Terminal(screen).say("[s19-20] failure\x1b[2J\r\nall is well")
    assert screen.lines == ["[s19-20] failure?[2J??all is well", ""]


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_what_cannot_be_written_over_is_a_line_of_its_own(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("TERM", kind)
    for out in (screen, io.StringIO()):
        terminal = Terminal(out)
        terminal.show("SoC 72.9 %")
        terminal.say("[s19-20] mining stopped")
        terminal.close()
        assert out.getvalue() == "SoC 72.9 %\n[s19-20] mining stopped\n"
