"""The times that the rules of a chaos run are made of, and the farm that lives by them.

Lease, grace and the other rules are far shorter than an owner's, so that two minutes hold many cycles. What belongs to
the protocol itself is as it always is: beats, settle time, keepalive, and the pauses between attempts to connect.
"""

from dataclasses import dataclass

SENSOR = "sensor.battery_soc"
TOKEN = "chaos"
FULL_PERCENT = 99.5
"""Never equal to a bound of any band, and above all of them."""
_BANDS = 10

_FARM = """\
site: {{id: home}}
battery:
  home_assistant: {{url: "{url}", state_of_charge: {sensor}, poll: {source:g} s}}
  unconfirmed_after: {stale_no_start:g} s
rules:
  {{lease: {lease:g} s, grace: {grace:g} s, minimum_off: {minimum_off:g} s, minimum_on: {minimum_off:g} s,
   stale_no_start: {stale_no_start:g} s, stale_pause: {stale_pause:g} s, starts_per_day: 1000,
   stagger_w: 40000, stagger_window: 2 s, poll: {poll:g} s}}
miners:
"""


@dataclass(frozen=True)
class Times:
    """All in seconds."""

    beat: float = 5.0
    beats: int = 3
    settle: float = 2.0
    takeover: float = 5.0
    """From the end of the active engine's presence until another is active."""
    keepalive: float = 10.0
    reconnect: float = 15.0
    """The longest pause of a client between two attempts."""
    start: float = 5.0
    """A process of Python on a machine that is busy with twenty others."""
    request: float = 8.0
    """One exchange with a miner that does not answer, at the worst."""
    lease: float = 10.0
    grace: float = 10.0
    minimum_off: float = 5.0
    stale_no_start: float = 10.0
    stale_pause: float = 20.0
    source: float = 3.0
    """How often Home Assistant is asked."""
    poll: float = 2.0
    margin: float = 4.0
    """For a machine that does other things as well."""

    @property
    def untended(self) -> float:
        """How long a device may be without a tender after its own has died: three beats, and the settle time."""
        return self.beats * self.beat + self.settle

    @property
    def recovery(self) -> float:
        """How long a fault can still be felt after its end: a new start, a new connection, and settling anew."""
        return self.start + self.reconnect + self.settle

    @property
    def reaction(self) -> float:
        """From the battery's word to the miner's standstill where nothing is wrong."""
        return self.source + 2 * self.poll + self.margin

    @property
    def alone(self) -> float:
        """How long a command without a successor keeps a miner hashing."""
        return self.lease + self.grace

    @property
    def start_of_old(self) -> float:
        """How old the knowledge behind a start can be: a state of charge, then a command, then a request."""
        return self.stale_no_start + self.lease + self.request + self.margin


def band(number: int) -> tuple[int, int]:
    """`stop_soc` and `resume_soc` of a miner."""
    stop = 25 + 6 * (number % _BANDS)
    return stop, stop + 3


def farm_text(times: Times, url: str, ports: dict[str, int]) -> str:
    """The farm file. `ports`: of each miner's stand-in."""
    text = _FARM.format(
        url=url,
        sensor=SENSOR,
        source=times.source,
        lease=times.lease,
        grace=times.grace,
        minimum_off=times.minimum_off,
        stale_no_start=times.stale_no_start,
        stale_pause=times.stale_pause,
        poll=times.poll,
    )
    for number, (name, port) in enumerate(ports.items()):
        stop, resume = band(number)
        text += f'  {name}: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: {stop}, resume_soc: {resume}}}\n'
    return text
