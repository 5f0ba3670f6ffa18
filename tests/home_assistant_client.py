"""A real Home Assistant as a test sees it: its states and services, and the broker that it listens to."""

import os
from collections.abc import Callable
from typing import Any

import requests

from tests.waiting import eventually

URL = os.environ.get("SUNHERD_E2E_HA_URL", "")
TOKEN = os.environ.get("SUNHERD_E2E_HA_TOKEN", "")
_ENTRIES = "config/config_entries/entry"
_FLOW = "config/config_entries/flow"


class HomeAssistantClient:
    """Over REST."""

    def __init__(self, url: str = URL, token: str = TOKEN) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._session.close()

    # --- its broker

    def connect_to(self, port: int, username: str, password: str) -> None:
        """Listens to this broker and no other, as if it had never heard of anything."""
        self.disconnect()
        flow = self._post(_FLOW, handler="mqtt", show_advanced_options=False)
        if flow["type"] == "menu":
            flow = self._post(f"{_FLOW}/{flow['flow_id']}", next_step_id="broker")
        data = {"broker": "127.0.0.1", "port": port, "username": username, "password": password}
        done = self._post(f"{_FLOW}/{flow['flow_id']}", **data)
        assert done["type"] == "create_entry", done

    def disconnect(self) -> None:
        for entry in self._mqtt_entries():
            self._session.delete(f"{self._url}/api/{_ENTRIES}/{entry}", timeout=30).raise_for_status()

    def reload(self) -> None:
        """Its MQTT begins anew: it forgets every state, subscribes again, and says that it is online."""
        for entry in self._mqtt_entries():
            self._post(f"{_ENTRIES}/{entry}/reload")

    def _mqtt_entries(self) -> list[str]:
        return [entry["entry_id"] for entry in self._get(f"{_ENTRIES}?domain=mqtt")]

    # --- what it shows

    def states(self) -> dict[str, dict[str, Any]]:
        """All states, by entity id."""
        return {state["entity_id"]: state for state in self._get("states")}

    def state(self, entity_id: str) -> str | None:
        """None: there is no such entity."""
        answer = self._session.get(f"{self._url}/api/states/{entity_id}", timeout=10)
        return answer.json()["state"] if answer.ok else None

    def attributes(self, entity_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._get(f"states/{entity_id}")["attributes"]
        return found

    def shows(self, entity_id: str, wanted: str | Callable[[str], bool], seconds: float = 15.0) -> bool:
        """Whether an entity comes to show this."""

        def look() -> bool:
            state = self.state(entity_id)
            return state is not None and (state == wanted if isinstance(wanted, str) else wanted(state))

        return eventually(look, seconds)

    def rendered(self, template: str) -> str:
        """What one of its templates comes to."""
        answer = self._session.post(f"{self._url}/api/template", json={"template": template}, timeout=30)
        answer.raise_for_status()
        return answer.text

    def complaints(self) -> list[str]:
        """What it has to say against announcements, values and templates; not that a broker was away."""
        answer = self._session.get(f"{self._url}/api/error_log", timeout=10)
        answer.raise_for_status()
        loud = (line for line in answer.text.splitlines() if " WARNING " in line or " ERROR " in line)
        about = ("homeassistant.components.mqtt", "homeassistant.helpers.template", "homeassistant.components.sensor")
        beside_the_point = ("mqtt.client", "is logging too frequently")
        return [
            line
            for line in loud
            if any(name in line for name in about) and not any(name in line for name in beside_the_point)
        ]

    # --- what a person does

    def do(self, service: str, entity_id: str, **data: Any) -> None:
        """Calls a service, such as `switch.turn_off`."""
        self._post(f"services/{service.replace('.', '/')}", entity_id=entity_id, **data)

    def _get(self, path: str) -> Any:
        answer = self._session.get(f"{self._url}/api/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, **data: Any) -> Any:
        answer = self._session.post(f"{self._url}/api/{path}", json=data, timeout=30)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()
