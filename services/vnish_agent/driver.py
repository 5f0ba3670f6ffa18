"""One VNish miner as a device: reads it, and takes one bounded step at a time towards a command."""

from contextlib import suppress
from dataclasses import replace

from services.vnish_agent.book import Book
from services.vnish_agent.client import VnishClient
from services.vnish_agent.controls import Controls
from services.vnish_agent.facts import live_preset, uptime_seconds, watts_below
from services.vnish_agent.ladder import FULL_PERCENT, Means, Normal, ladder_of, recalled
from services.vnish_agent.look import Look
from services.vnish_agent.moves import Move, View, next_move
from services.vnish_agent.parse import STANDBY_MAX_W, Readout, read_out
from services.vnish_agent.pools import share_difficulty, shares_accepted
from services.vnish_agent.revival import Revival
from shared.clock import Clock
from shared.device import DeviceError, RefusedError, Step
from shared.messages import Ladder, MinerCommand, MinerState, MinerTelemetry

STEADY_SECONDS = 60.0
"""Power still rises after `mining` has begun: it is taken for nominal only after so long."""
MEASURED_MARGIN = 1.02
"""A new maximum counts only if it is clearly one: the ladder must not change with every reading."""
_ROUND_W = 10
BLINKS_SECONDS = 60.0
"""How long it blinks when somebody looks for it."""


class VnishDriver:
    """Device[MinerTelemetry, MinerCommand]. Called by one thread; one request at a time."""

    def __init__(
        self,
        client: VnishClient,
        clock: Clock,
        *,
        nominal_w: float | None = None,
        preset: str | None = None,
        mac: str | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._nominal_w = nominal_w
        self._preset = preset
        self._mac = mac
        self._book = Book(client, clock)
        self._book.expect(mac)
        self._controls = Controls(client, self._book, clock)
        self._revival = Revival()
        self._look = Look(client, clock)
        self._saw_all = False
        """Whether the last reading was a whole look."""
        self._adopted = Normal()
        self._recalled = Normal()
        self._recalled_ladder: Ladder | None = None
        self._full_since: float | None = None
        self._blinks_until: float | None = None
        self._view = View(MinerState.UNKNOWN)

    def recall(self, previous: MinerTelemetry) -> None:
        if self._mac is None:
            self._book.expect(previous.mac)
        if previous.ladder is not None:
            self._recalled_ladder = previous.ladder
            self._recalled = recalled(previous.ladder)

    def read(self) -> MinerTelemetry:
        try:
            readout = self._read()
        except DeviceError:
            self._look.doubt()
            self._book.doubt()
            self._revival.unread()
            raise
        self._revival.look(readout)
        with suppress(DeviceError):  # the old token may still do; what is wrong shows when it does not
            self._client.renew_token()
            self._end_blinking()
        self._view = self._viewed(readout)
        self._adopt(readout)
        return self._telemetry(readout)

    def settled(self, reading: MinerTelemetry, command: MinerCommand) -> bool:  # noqa: ARG002 - as seen by `read`
        return next_move(self._view, command.point) is Move.NONE

    def apply(self, command: MinerCommand, reading: MinerTelemetry) -> Step:  # noqa: ARG002
        self._look.moved()
        if not self._saw_all and next_move(self._view, command.point) is not Move.STOP:
            # A stop never waits. Whatever else is changed, is changed by what the miner holds now.
            self._view = self._viewed(self._read())
            self._look.moved()
        return self._controls.make(next_move(self._view, command.point), self._view, command.point, self._normal())

    def restart(self, reading: MinerTelemetry) -> None:
        self._look.moved()
        reboot = self._revival.needs_reboot(reading)
        try:
            self._controls.restart(reboot=reboot)
        except RefusedError:
            if not reboot:
                self._revival.refused()
            raise
        finally:
            self._revival.asked()

    def identify(self) -> None:
        self._blinks_until = self._clock.seconds() + BLINKS_SECONDS
        self._client.find(on=True)

    def close(self) -> None:
        self._client.close()

    # --- reading

    def _end_blinking(self) -> None:
        """It would blink until somebody tells it to stop."""
        if self._blinks_until is not None and self._clock.seconds() >= self._blinks_until:
            self._blinks_until = None
            self._client.find(on=False)

    def _read(self) -> Readout:
        answers = self._look.take()
        summary, self._saw_all = answers.summary, answers.whole
        if answers.whole:
            self._book.see_live_preset(live_preset(answers.perf_summary))
        self._book.refresh(summary)
        return replace(
            read_out(answers.status, summary, self._book.identity.unit),
            shares_accepted=shares_accepted(summary),
            share_difficulty=share_difficulty(summary),
            uptime_seconds=uptime_seconds(summary),
        )

    def _viewed(self, readout: Readout) -> View:
        book, pending = self._book, self._controls.pending
        return View(
            state=readout.state,
            power_w=readout.power_w,
            throttled_percent=readout.throttled_percent,
            live_preset=book.live_preset,
            settings=book.settings,
            # Without the live preset a flag of the miner may be about anything: only our own change counts.
            restart_required=pending.restart or (readout.restart_required and book.live_preset is not None),
            reboot_required=pending.reboot or (readout.reboot_required and book.live_preset is not None),
        )

    def _telemetry(self, readout: Readout) -> MinerTelemetry:
        problem, detail = self._trouble(readout)
        ladder = self._ladder()
        agreeing = (point.name for point in ladder.points if next_move(self._view, point) is Move.NONE)
        identity = self._book.identity
        return MinerTelemetry(
            at=self._clock.now(),
            driver="vnish",
            reachable=True,
            problem=problem,
            detail=detail,
            state=readout.state,
            power_w=readout.power_w,
            hashrate_ths=readout.hashrate_ths,
            chip_temperature_celsius=readout.chip_temperature_celsius,
            shares_accepted=readout.shares_accepted,
            share_difficulty=readout.share_difficulty,
            uptime_seconds=readout.uptime_seconds,
            point=next(agreeing, None) if readout.state is not MinerState.FAULT else None,
            ladder=ladder,
            model=identity.model or readout.model,
            firmware=identity.firmware or readout.firmware,
            mac=identity.mac,
        )

    def _trouble(self, readout: Readout) -> tuple[str | None, str]:
        """The gravest thing to tell."""
        if readout.state is MinerState.FAULT:
            return "miner_failure", readout.detail
        if readout.state is MinerState.UNKNOWN:
            return "state_unknown", readout.detail
        if self._controls.damage:
            return "settings_changed", f"a change of preset changed more: {', '.join(self._controls.damage)[:200]}"
        if self._book.problem is not None:
            return self._book.problem.code, f"presets and settings: {self._book.problem.sentence}"
        if self._preset is not None and self._preset not in self._usable() and self._book.presets is not None:
            return "preset_not_tuned", f"the configured preset {self._preset} is not tuned here; the one found is used"
        return None, ""

    # --- the ladder

    def _ladder(self) -> Ladder:
        if self._book.presets is None and self._recalled_ladder is not None:
            return self._recalled_ladder
        settings = self._book.settings
        means = Means(
            presets=self._book.presets or (),
            throttled=self._view.throttled_percent is not None,
            watts_min=watts_below(settings.switcher) if settings is not None else 0.0,
        )
        return ladder_of(means, self._normal(), self._nominal_w, insist=self._preset is not None)

    def _normal(self) -> Normal:
        """Configured, else as an earlier process knew it, else as found at adoption."""
        adopted, before = self._adopted, self._recalled
        configured = self._preset if self._book.presets is None or self._preset in self._usable() else None
        return Normal(
            preset=configured or before.preset or adopted.preset,
            throttle_percent=before.throttle_percent or adopted.throttle_percent,
            measured_w=max(filter(None, (before.measured_w, adopted.measured_w)), default=None),
        )

    def _usable(self) -> set[str]:
        return {preset.name for preset in self._book.presets or () if preset.usable}

    def _adopt(self, readout: Readout) -> None:
        """Takes what is found at first sight for the owner's own way of running this miner."""
        adopted, settings = self._adopted, self._book.settings
        if adopted.preset is None:
            chosen = None if settings is None else (settings.top_preset if settings.switching else settings.preset)
            adopted = replace(adopted, preset=chosen or self._book.live_preset)
        if adopted.throttle_percent is None:
            adopted = replace(adopted, throttle_percent=readout.throttled_percent or None)
        full = readout.throttled_percent in {None, FULL_PERCENT} and readout.word == "mining"
        self._full_since = (self._full_since or self._clock.seconds()) if full else None
        watts = readout.power_w or 0.0
        steady = self._full_since is not None and self._clock.seconds() - self._full_since >= STEADY_SECONDS
        if steady and watts > max(STANDBY_MAX_W, MEASURED_MARGIN * (adopted.measured_w or 0.0)):
            adopted = replace(adopted, measured_w=float(-(-watts // _ROUND_W) * _ROUND_W))
        self._adopted = adopted
