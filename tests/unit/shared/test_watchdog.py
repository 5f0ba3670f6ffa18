"""Signs of life for whoever watches over the process."""

import socket
from pathlib import Path
from uuid import uuid4

import pytest

from shared.watchdog import ALIVE, SOCKET_VARIABLE, notify_watchdog


@pytest.mark.parametrize("abstract", [False, True])
def test_a_sign_of_life_reaches_the_socket_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"@{uuid4()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as watcher:
        watcher.bind("\0" + name[1:] if abstract else name)
        watcher.settimeout(5)
        monkeypatch.setenv(SOCKET_VARIABLE, name)
        notify_watchdog()
        assert watcher.recv(100) == ALIVE


def test_nobody_who_watches_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notify_watchdog()
    monkeypatch.setenv(SOCKET_VARIABLE, str(tmp_path / "nobody"))
    notify_watchdog()


def test_a_watcher_that_has_stopped_reading_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as watcher:
        watcher.bind(str(tmp_path / "full"))
        monkeypatch.setenv(SOCKET_VARIABLE, str(tmp_path / "full"))
        for _ in range(2000):
            notify_watchdog()
