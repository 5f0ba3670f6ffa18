"""What the add-on asks Home Assistant's supervisor: whether there is a broker to share.

Source: the developer documentation of Home Assistant, add-on communication and the endpoints of its supervisor.
"""

from dataclasses import dataclass, field
from http import HTTPStatus

import requests
from pydantic import BaseModel, Field, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

SUPERVISOR_URL = "http://supervisor"
TOKEN_VARIABLE = "SUPERVISOR_TOKEN"  # noqa: S105 - the name of a variable
_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
_TRIES_AGAIN = 4
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NONE_OFFERED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}


class SupervisorError(Exception):
    """The supervisor did not answer as it should; the text says what to do."""


class _Service(BaseModel):
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65_535)
    username: str | None = None
    password: str | None = None
    ssl: bool = False


class _Answer(BaseModel):
    data: _Service


@dataclass(frozen=True)
class OfferedBroker:
    """The broker that Home Assistant shares with its add-ons."""

    url: str
    username: str | None
    password: str | None = field(repr=False)


def offered_broker(base_url: str, token: str) -> OfferedBroker | None:
    """The broker that another add-on offers; None where none does. Raises SupervisorError. Takes at most about 30 s."""
    with requests.Session() as session:
        # While the machine boots the supervisor may need a moment.
        again = Retry(total=_TRIES_AGAIN, backoff_factor=0.5, status_forcelist=[502, 503], raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=again))
        session.trust_env = False
        try:
            response = session.get(
                f"{base_url}/services/mqtt",
                headers={"Authorization": f"Bearer {token}"},
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            message = f"The supervisor at {base_url} cannot be asked for the broker ({type(error).__name__}). {_FIX}"
            raise SupervisorError(message) from error
    if response.status_code in _REFUSALS:
        message = (
            f"The supervisor refuses us its broker. Fix: reinstall the add-on, so that it gets a new token. {_FIX}"
        )
        raise SupervisorError(message)
    if response.status_code in _NONE_OFFERED:
        return None
    try:
        service = _Answer.model_validate_json(response.content).data
    except ValidationError as error:
        message = f"The supervisor answers {response.status_code} and no broker that can be understood. {_FIX}"
        raise SupervisorError(message) from error
    host = f"[{service.host}]" if ":" in service.host else service.host
    scheme = "mqtts" if service.ssl else "mqtt"
    return OfferedBroker(f"{scheme}://{host}:{service.port}", service.username, service.password)


_FIX = "Fix: start the add-on again when Home Assistant is up; or set the option broker to own, to do without it."
