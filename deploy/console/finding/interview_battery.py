"""Home Assistant in the interview: proven by reading the very sensor that is chosen."""

from deploy.console.finding.asking import Asker
from deploy.console.finding.home_assistant import HomeAssistant, HomeAssistantError, Sensor, TokenRefusedError
from deploy.console.finding.miners import plain
from deploy.console.trouble import EXIT_WRONG, TroubleError
from shared.clock import Clock
from shared.settings import HomeAssistantSettings, Secrets

USUAL_URL = "http://homeassistant.local:8123"
TOKEN = "HA_TOKEN"  # noqa: S105 - a variable's name
_SENSORS_SHOWN = 12


def battery_of(
    asker: Asker, url: str | None, sensor: str | None, secrets: Secrets, fresh: dict[str, str], clock: Clock
) -> tuple[str, str] | None:
    """URL and entity of the state of charge; None: no battery. Raises TroubleError."""
    while True:
        chosen = asker.ask(
            "Home Assistant's URL (none: no battery)",
            "Home Assistant tells the state of charge of your battery, by which miners stop and run again.",
            "--ha-url",
            url,
            USUAL_URL if asker.asks else "none",
            _url,
        )
        if not chosen:
            return None
        token = secrets.get(TOKEN) or asker.secret(
            "Long-lived token",
            "In Home Assistant: your profile, Security, Long-lived access tokens. It goes into .env.",
        )
        if not token:
            message = f"{TOKEN} is missing. Fix: set it in the environment or in .env beside the farm file."
            raise TroubleError(message)
        try:
            with HomeAssistant(chosen, token, clock) as home_assistant:
                sensors = home_assistant.percent_sensors()
        except HomeAssistantError as error:
            known = isinstance(error, TokenRefusedError) and secrets.get(TOKEN) is not None
            if not asker.asks or url is not None or known:
                message = f"{error}. Fix: {error.fix}."
                raise TroubleError(message, exit_code=EXIT_WRONG) from None
            asker.say(f"  {error}. Fix: {error.fix}.")
            continue
        if secrets.get(TOKEN) is None:
            fresh[TOKEN] = token
        return chosen, _chosen(asker, sensor, sensors)


def _chosen(asker: Asker, given: str | None, sensors: list[Sensor]) -> str:
    if not sensors and given is None:
        message = "Home Assistant has no sensor that says a percentage now. Fix: add your inverter's integration to it."
        raise TroubleError(message, exit_code=EXIT_WRONG)
    if given is None:
        for number, sensor in enumerate(sensors[:_SENSORS_SHOWN], 1):
            asker.say(f"  {number:>2}  {sensor.entity_id}  {sensor.percent:g} %  {plain(sensor.name or ' ')}")
    by_name = {sensor.entity_id: sensor for sensor in sensors}

    def parse(text: str) -> Sensor:
        if text.isdecimal() and 1 <= int(text) <= len(sensors):
            return sensors[int(text) - 1]
        if text in by_name:
            return by_name[text]
        message = f"{text!r} is no sensor that says a percentage now. Fix: one of {', '.join(list(by_name)[:5])}"
        raise ValueError(message)

    # Which battery it is that feeds the miners nobody can guess: a wrong one would be a wrong rule for all of them.
    default = "1" if asker.asks else ""
    chosen = asker.ask(
        "Number or entity", "The sensor of the state of charge in percent.", "--sensor", given, default, parse
    )
    asker.say(f"{chosen.entity_id} says {chosen.percent:g} % now.")
    return chosen.entity_id


def _url(text: str) -> str:
    """Empty for none. Raises ValueError."""
    if text in {"", "none"}:
        return ""
    try:
        return HomeAssistantSettings(url=text, state_of_charge="sensor.any").url
    except ValueError:
        message = f"{text!r} is not an address of Home Assistant. Fix: write it like {USUAL_URL}"
        raise ValueError(message) from None
