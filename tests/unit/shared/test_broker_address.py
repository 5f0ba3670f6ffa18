from pathlib import Path

import pytest

from shared.bus import BrokerAddress
from shared.launch import address_of, broker_address, instance_name
from shared.settings import BrokerSettings, FarmSettings, Secrets


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker.lan", BrokerAddress("broker.lan", 1883)),
        ("mqtt://broker.lan:1884", BrokerAddress("broker.lan", 1884)),
        ("mqtts://broker.lan", BrokerAddress("broker.lan", 8883, tls=True)),
        ("mqtt://me:secret@broker.lan", BrokerAddress("broker.lan", 1883, "me", "secret")),
        ("mqtt://me:p%40ss@broker.lan", BrokerAddress("broker.lan", 1883, "me", "p@ss")),
        ("mqtt://[::1]:1884", BrokerAddress("::1", 1884)),
    ],
)
def test_a_broker_is_addressed_by_its_url(url: str, address: BrokerAddress) -> None:
    assert address_of(url, None, None) == address


def test_a_name_and_password_of_their_own_come_before_those_in_the_url() -> None:
    assert address_of("mqtt://me:secret@b", "you", "other") == BrokerAddress("b", 1883, "you", "other")


def test_without_a_url_it_is_this_machines_broker(tmp_path: Path) -> None:
    secrets = Secrets({"MQTT_PASSWORD": "pw"}, {}, tmp_path)
    farm = FarmSettings(broker=BrokerSettings(username="me"))
    assert broker_address(farm, secrets) == BrokerAddress("127.0.0.1", 1883, "me", "pw")


def test_an_instance_is_named_after_service_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNHERD_INSTANCE", "Rack 3.Left")
    assert instance_name("vnish-agent") == "vnish-agent-rack-3-left"
    monkeypatch.setenv("SUNHERD_INSTANCE", "x" * 100)
    assert len(instance_name("vnish-agent")) == 64
    monkeypatch.delenv("SUNHERD_INSTANCE")
    monkeypatch.setattr("platform.node", lambda: "")
    assert instance_name("vnish-agent") == "vnish-agent-local"
