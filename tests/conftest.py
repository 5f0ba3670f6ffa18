"""Fixtures that every test may use."""

from pathlib import Path

import pytest
import pytest_socket

from shared.clock import VirtualClock

LONGEST = (
    "test_simulated_days.py",
    "test_follow.py",
    "test_sunherd_commands.py",
    "test_sunherd_orders.py",
    "test_demo_of_rigs_that_hang.py",
    "test_console_demo.py",
    "test_demo.py",
    "test_console_see.py",
    "test_embedded_follow.py",
    "test_health.py",
    "test_fleet.py",
    "test_fleet_tls.py",
    "test_handover.py",
    "test_rigs_whole.py",
    "test_console_stop.py",
    "test_large_farm.py",
    "test_embedded_farm.py",
    "test_init.py",
    "test_locked_broker_tls.py",
    "test_container.py",
    "test_kasa_power_agent.py",
    "test_supervise.py",
    "test_locked_broker_services.py",
    "test_engine_restart.py",
    "test_locked_broker_memory.py",
)
"""Files that take longest: begun first, so that at the end no worker is left alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file, and among the others, the order stays."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def _no_farm_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the developer's own farm must not leak into a test."""
    for name in ("SUNHERD_FARM", "SUNHERD_CLOCK", "NOTIFY_SOCKET", "HA_TOKEN", "MQTT_PASSWORD", "VNISH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """No sockets where a test has no business with them; elsewhere this machine alone."""
    rooms = item.path.relative_to(Path(__file__).parent).parts
    if rooms[0] in {"unit", "property"}:
        pytest_socket.disable_socket(allow_unix_socket=True)
    else:
        pytest_socket.socket_allow_hosts(["127.0.0.1", "localhost", "::1"])
