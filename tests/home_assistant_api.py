"""A real Home Assistant by its own REST and WebSocket API: what a person does there by hand."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect

URL = os.environ.get("SUNHERD_E2E_HA_URL", "")
TOKEN = os.environ.get("SUNHERD_E2E_HA_TOKEN", "")
NEEDS_HOME_ASSISTANT = pytest.mark.skipif(
    not (URL and TOKEN), reason="NO REAL HOME ASSISTANT: set SUNHERD_E2E_HA_URL and _TOKEN"
)


class HomeAssistantApi:
    """Asks and orders; hears what Home Assistant publishes on MQTT. One thread only."""

    def __init__(self) -> None:
        self._headers = {"Authorization": f"Bearer {TOKEN}"}
        self._number = 0
        self._heard: list[tuple[str, str]] = []
        self._socket: ClientConnection = connect(f"{URL.replace('http', 'ws', 1)}/api/websocket", max_size=None)
        assert self._received()["type"] == "auth_required"
        self._socket.send(json.dumps({"type": "auth", "access_token": TOKEN}))
        assert self._received()["type"] == "auth_ok"

    def close(self) -> None:
        self._socket.close()

    def ask(self, kind: str, **data: Any) -> Any:
        """The result of a WebSocket command."""
        answer = self.answer(kind, **data)
        assert answer["success"], answer
        return answer["result"]

    def answer(self, kind: str, **data: Any) -> dict[str, Any]:
        """The whole answer, also one that says no."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "type": kind, **data}))
        while True:
            said = self._received()
            if said["type"] == "result" and said["id"] == self._number:
                return said
            self._note(said)

    def listen(self, topic_filter: str) -> None:
        """From now on `heard` holds what comes on these topics."""
        self.ask("mqtt/subscribe", topic=topic_filter)

    def heard(self) -> list[tuple[str, str]]:
        """Topic and payload of all that has come so far."""
        while True:
            try:
                said = self._received(0.01)
            except TimeoutError:
                return self._heard
            self._note(said)

    def forget(self) -> None:
        """What has been heard so far does not count any more."""
        self.heard().clear()

    def call(self, action: str, **data: Any) -> None:
        """An action, such as button.press."""
        self._post(f"services/{action.replace('.', '/')}", data)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """By Home Assistant's own connection to the broker."""
        self.call("mqtt.publish", topic=topic, payload=payload, retain=retain)

    def rendered(self, template: str) -> str:
        """What a template comes to."""
        return self._post("template", {"template": template}).text

    def states(self) -> dict[str, str]:
        """The states of all entities."""
        found = requests.get(f"{URL}/api/states", headers=self._headers, timeout=10)
        found.raise_for_status()
        return {entity["entity_id"]: entity["state"] for entity in found.json()}

    def state(self, entity: str) -> str | None:
        """The state of one entity; None where there is no such thing."""
        found = requests.get(f"{URL}/api/states/{entity}", headers=self._headers, timeout=10)
        return str(found.json()["state"]) if found.ok else None

    def make_automation(self, identifier: str, blueprint: str, inputs: Mapping[str, Any]) -> None:
        """As its editor does."""
        self._allow_automations()
        used = {"path": blueprint, "input": dict(inputs)}
        self._post(f"config/automation/config/{identifier}", {"alias": identifier, "use_blueprint": used})

    def remove_automation(self, identifier: str) -> None:
        address = f"{URL}/api/config/automation/config/{identifier}"
        requests.delete(address, headers=self._headers, timeout=10).raise_for_status()

    def _allow_automations(self) -> None:
        """Each installed Home Assistant includes what its editor writes; one that was made for tests may not."""
        found = requests.get(f"{URL}/api/config", headers=self._headers, timeout=10)
        directory = Path(found.json()["config_dir"])
        configuration = directory / "configuration.yaml"
        if not configuration.is_file() or "automation:" in configuration.read_text(encoding="utf-8"):
            return
        (directory / "automations.yaml").write_text("[]\n", encoding="utf-8")
        with configuration.open("a", encoding="utf-8") as file:
            file.write("automation: !include automations.yaml\n")

    def _post(self, path: str, data: Mapping[str, Any]) -> requests.Response:
        done = requests.post(f"{URL}/api/{path}", json=data, headers=self._headers, timeout=10)
        assert done.ok, f"{path} {data}: {done.status_code} {done.text}"
        return done

    def _note(self, said: Mapping[str, Any]) -> None:
        if said["type"] == "event":
            self._heard.append((said["event"]["topic"], said["event"]["payload"]))

    def _received(self, seconds: float = 10) -> dict[str, Any]:
        text = self._socket.recv(timeout=seconds)
        found = json.loads(text)
        assert isinstance(found, dict)
        return found


def waits(seconds: float) -> None:
    """So that something that must not happen would have had the time to."""
    time.sleep(seconds)
