"""The broker in the interview: brought along, or one that is proven by logging in."""

from urllib.parse import unquote, urlsplit

from pydantic import TypeAdapter, ValidationError

from deploy.broker import find_mosquitto
from deploy.console.finding.asking import Asker
from deploy.console.finding.finding import Finding
from deploy.console.finding.live_broker import Complaints, look_at_broker
from deploy.console.trouble import EXIT_WRONG, TroubleError
from deploy.ports import is_free
from shared.clock import Clock
from shared.launch import address_of
from shared.settings import Secrets
from shared.settings.address import BrokerUrl

PASSWORD = "MQTT_PASSWORD"  # noqa: S105 - a variable's name
_PREFIX = "sunherd"


def broker_of(
    asker: Asker, given: str | None, username: str | None, secrets: Secrets, fresh: dict[str, str], clock: Clock
) -> tuple[str, str | None] | None:
    """URL and user name; None: it is brought along. Raises TroubleError."""
    kind = "mosquitto is installed here and" if find_mosquitto() else "a small one of its own"
    taken = "" if is_free("127.0.0.1", 1883) else " Another one listens on this machine: mqtt://127.0.0.1:1883."
    while True:
        url = asker.ask(
            "Broker (own: bring one along)",
            f"Own: {kind} is started with the farm.{taken} Home Assistant's own broker is a URL: mqtt://host:1883.",
            "--broker",
            given,
            "own",
            _url,
        )
        if not url:
            return None
        plain_url, user, password = _taken_apart(url)
        user, password = username or user, password or secrets.get(PASSWORD)
        finding = _look(plain_url, user, password, clock)
        if not finding.is_fine and asker.asks and password is None:
            user = (
                asker.ask("User name", "It may want a login.", "--broker-username", username, user or "", str) or None
            )
            password = asker.secret("Password", "It goes into .env, and is not shown.") or None
            finding = _look(plain_url, user, password, clock)
        if finding.is_fine:
            asker.say(f"{plain_url}: logged in.")
            if password is not None and password != secrets.get(PASSWORD):
                fresh[PASSWORD] = password
            return plain_url, user
        if not asker.asks or given is not None:
            message = f"{finding.name}: {finding.said}. Fix: {finding.fix}."
            raise TroubleError(message, exit_code=EXIT_WRONG)
        asker.say(f"  {finding.said}. Fix: {finding.fix}.")


def _look(url: str, username: str | None, password: str | None, clock: Clock) -> Finding:
    complaints = Complaints()
    complaints.listen()
    try:
        return look_at_broker(address_of(url, username, password), _PREFIX, clock, complaints).findings[0]
    finally:
        complaints.end()


def _url(text: str) -> str:
    """Empty for one that is brought along. Raises ValueError."""
    if text in {"", "own"}:
        return ""
    try:
        return str(TypeAdapter(BrokerUrl).validate_python(text))
    except ValidationError:
        message = "this is not the address of a broker. Fix: write it like mqtt://192.168.1.10:1883"
        raise ValueError(message) from None


def _taken_apart(url: str) -> tuple[str, str | None, str | None]:
    """The URL without user name and password, which have no business in a farm file, and both."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return f"{parts.scheme}://{where}", user or None, password or None
