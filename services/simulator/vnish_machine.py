"""What a VNish miner does, without its web server: states that follow one another, power, presets and throttle."""

from typing import Any

from services.simulator import vnish_config as config
from services.simulator.mains import Frailty
from services.simulator.vnish_answers import Snapshot
from services.simulator.vnish_firmware import Firmware, Pace, StandInPreset
from services.simulator.vnish_shares import ShareCounter
from shared.clock import Clock

IDLE_W = 12
INITIALIZING_W = 146
STARTING_W = 60
FULL_PERCENT = 100
_HASHING = {"mining", "auto-tuning"}
_BUSY = {*_HASHING, "initializing", "starting", "restarting"}


class VnishMachine:
    """The machine itself. Time passes by the clock alone: a state is worked out when somebody looks."""

    def __init__(
        self, firmware: Firmware, clock: Clock, nominal_w: int, presets: tuple[StandInPreset, ...], pace: Pace
    ) -> None:
        self.firmware = firmware
        self.clock = clock
        self.pace = pace
        self.nominal_w = nominal_w
        self.presets = presets
        self.mac = "02:00:00:00:00:20"
        self.model = "Antminer S19"
        self.serial = "N/A"
        self.throttled_percent = FULL_PERCENT
        self.failure = (1002, "Failed to parse miner configuration")
        self.failure_w = 0
        """What it draws in `failure`."""
        self.chip_celsius = 65
        own = str(nominal_w) if any(preset.power_w == nominal_w for preset in presets) else "disabled"
        self.settings: dict[str, Any] = config.settings(firmware, own)
        self.live_preset = own
        self._plan: list[tuple[float, str]] = [(clock.seconds(), "mining")]
        self._shares = ShareCounter(clock.seconds())
        self.frailty = Frailty(clock)
        self.frozen = False
        """It finds no shares and tells the same hashrate as before. Starting anew helps."""

    @property
    def state(self) -> str:
        """The firmware's word for what it does now."""
        return self._current()[1]

    @property
    def hashing(self) -> bool:
        """Whether it really computes, whatever it tells."""
        return self.alive and self.state in _HASHING and not self.frozen

    @property
    def alive(self) -> bool:
        """Whether it has power and does not hang."""
        return self.frailty.powered and not self.frailty.hangs

    @property
    def chosen_preset(self) -> str:
        """The preset of the settings, which the next start takes up."""
        return str(self.settings["miner"]["overclock"]["preset"])

    @property
    def power_w(self) -> int:
        """What it really draws now, whatever its web server says."""
        if not self.alive:
            return IDLE_W if self.frailty.powered else 0
        word = self.state
        if word in _HASHING:
            watts = int(self.live_preset) if self.live_preset.isdigit() else self.nominal_w
            return watts * self.throttled_percent // FULL_PERCENT
        fixed = {"initializing": INITIALIZING_W, "failure": self.failure_w, "stopped": IDLE_W}
        return fixed.get(word, STARTING_W)

    @property
    def shares(self) -> int:
        """Those of the pool in use, since its mining process began."""
        since, _word = self._current()
        return self._shares.found(self.power_w if self.hashing else 0, since, self.clock.seconds())

    def force_state(self, word: str) -> None:
        """Puts it into a state at once, as if by itself or by somebody at its own web page."""
        self._plan = [(self.clock.seconds(), word)]

    def start(self) -> None:
        """Begins to mine, unless it is at it already."""
        if self.state not in _BUSY:
            self.live_preset = self.chosen_preset
            self._follow(["starting", "initializing", "auto-tuning", "mining"])

    def stop(self) -> None:
        """Ends mining."""
        if self.state in _BUSY or self.state == "failure":
            self._follow(["shutting-down", "stopped"])

    def hang(self) -> None:
        """Nothing of it answers or hashes any more. Only a power cycle helps."""
        self.frailty.hang()

    def freeze(self) -> None:
        """It goes on telling its hashrate and finds nothing. Starting anew helps."""
        _found = self.shares  # up to now
        self.frozen = True

    def cut_power(self) -> None:
        """Its outlet is off from now on."""
        self.frailty.cut()
        self.force_state("stopped")

    def restore_power(self) -> None:
        """It boots and mines, whatever was before."""
        if not self.frailty.powered:
            self.frailty.restore()
            self.live_preset = self.chosen_preset
            up_at = self.clock.seconds() + self.pace.reboot_seconds
            self._follow(["starting", "initializing", "auto-tuning", "mining"], up_at)

    def restart(self) -> None:
        """Begins anew with the chosen preset."""
        self.live_preset = self.chosen_preset
        self._follow(["restarting", "initializing", "auto-tuning", "mining"])

    def snapshot(self, *, unlocked: bool) -> Snapshot:
        """Everything that its web server may tell."""
        since, word = self._current()
        return Snapshot(
            firmware=self.firmware,
            word=word,
            seconds_in_state=int(self.clock.seconds() - since),
            power_w=self.power_w,
            hashrate_ths=self.power_w / config.JOULES_PER_TH if word in _HASHING else 0.0,
            nominal_ths=self.nominal_w / config.JOULES_PER_TH,
            chip_celsius=self.chip_celsius if word in _HASHING else 28,
            throttled_percent=self.throttled_percent,
            failure_code=self.failure[0],
            failure_text=self.failure[1],
            restart_required=word in _HASHING and self.live_preset != self.chosen_preset,
            unlocked=unlocked,
            settings=self.settings,
            mac=self.mac,
            serial=self.serial,
            model=self.model,
            shares=self.shares,
        )

    def _follow(self, words: list[str], begins_at: float | None = None) -> None:
        lasts = {
            "starting": self.pace.restarting_seconds,
            "restarting": self.pace.restarting_seconds,
            "initializing": self.pace.initializing_seconds,
            "auto-tuning": self.pace.tuning_seconds,
            "shutting-down": self.pace.stopping_seconds,
        }
        at = self.clock.seconds() if begins_at is None else begins_at
        if words[0] != "shutting-down":
            self._shares.begin(at)
        self._plan, self.frozen = [], False
        for word in words:
            self._plan.append((at, word))
            at += lasts.get(word, 0.0)

    def _current(self) -> tuple[float, str]:
        now = self.clock.seconds()
        return next(((at, word) for at, word in reversed(self._plan) if at <= now), self._plan[0])
