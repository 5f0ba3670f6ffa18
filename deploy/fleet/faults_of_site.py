"""What is wrong with what is known of a site's battery. Pure."""

from collections.abc import Iterator

from deploy.fleet.finding import WARNING, Finding
from deploy.fleet.heard import Heard, Site
from shared.membership import BEATS_TOLERATED
from shared.messages import SiteTelemetry, UnknownReason
from shared.service import BEAT_SECONDS

BRIDGE_SERVICE = "soc_bridge"
OLD_SECONDS = 300.0
"""By default nothing starts any more when the state of charge is older."""
_FIXES = {
    UnknownReason.UNAUTHORIZED: "HA_TOKEN in .env: make a new long-lived token in Home Assistant",
    UnknownReason.NO_SUCH_SENSOR: "the sensor's id in farm.yaml must be the one in Home Assistant",
    UnknownReason.UNREACHABLE: "does the source run, and is its url in farm.yaml right as seen from a container?",
}
_ANY_FIX = "look at the sensor in Home Assistant (or at the MQTT topic); the log of soc-bridge says more"


def faults_of_site(heard: Heard, *, has_battery: bool | None) -> list[Finding]:
    """`has_battery`: whether the farm file names one; None: not known."""
    found = [finding for name, site in sorted(heard.sites.items()) for finding in _site(name, site, heard)]
    expected = has_battery is True or any(each.service == BRIDGE_SERVICE for each in heard.live.values())
    if heard.sites or has_battery is False or not (expected or heard.devices):
        return found
    if not expected:
        fix = "`battery:` in farm.yaml; a farm without a battery needs none"
        return [Finding("no_soc", "battery", "Nobody says how full the battery is.", fix, WARNING)]
    sentence = "Nobody says how full the battery is: what it governs does not start, and is paused after 15 min."
    return [Finding("no_soc", "battery", sentence, f"docker compose up --detach soc-bridge; {_ANY_FIX}")]


def _site(name: str, site: Site, heard: Heard) -> Iterator[Finding]:
    telemetry = site.telemetry
    if telemetry.unknown is not None:
        detail = f": {telemetry.detail}" if telemetry.detail else ""
        sentence = f"The state of charge is unknown ({telemetry.unknown.value}){detail}"
        yield Finding("soc_unknown", name, sentence, _FIXES.get(telemetry.unknown, _ANY_FIX))
    if site.heard_at_seconds is None and heard.seconds - heard.since_seconds > BEATS_TOLERATED * BEAT_SECONDS:
        sentence = (
            f"Only the broker's memory speaks of this battery: nobody has told of it since {telemetry.at:%H:%M:%S} UTC."
        )
        yield Finding(
            "soc_silent", name, sentence, "docker compose up --detach soc-bridge; its log says why it is silent"
        )
    age_seconds = _age_seconds(telemetry, site, heard)
    if telemetry.unknown is None and age_seconds is not None and age_seconds > OLD_SECONDS:
        sentence = f"The state of charge was last confirmed {age_seconds / 60:.0f} min ago: nothing starts."
        yield Finding("soc_old", name, sentence, _ANY_FIX)


def _age_seconds(telemetry: SiteTelemetry, site: Site, heard: Heard) -> float | None:
    """What its sender says, and the time since we heard it: so that clocks which disagree make nothing old."""
    if telemetry.confirmed_at is None:
        return None
    said = (telemetry.at - telemetry.confirmed_at).total_seconds()
    if site.heard_at_seconds is not None:
        return said + heard.seconds - site.heard_at_seconds
    return said + (heard.now - telemetry.at).total_seconds()
