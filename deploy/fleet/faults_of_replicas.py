"""What is wrong with the replicas, as they are heard. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median

from deploy.fleet.finding import WARNING, Finding
from deploy.fleet.heard import Heard, Standing
from deploy.fleet.ownership import ENGINE_SERVICE, decides, disagreements, doubly_tended, orphans

CLOCK_TOLERATED_SECONDS = 5.0
_ORPHANS_NAMED = 20


def faults_of_replicas(heard: Heard) -> list[Finding]:
    """All of them; said of a farm that has been listened to for three beats and a word more."""
    return [
        *_engines(heard),
        *_clocks(heard),
        *_orphans(heard),
        *_agreement(heard),
        *_versions(heard),
        *_ghosts(heard),
    ]


def _engines(heard: Heard) -> Iterator[Finding]:
    live = heard.live
    active = [presence for presence in live.values() if decides(presence)]
    if heard.devices and not active:
        fix = "docker compose up --detach policy-engine; its log says why it does not decide"
        sentence = "No policy engine decides: the miners go to their failsafe when their leases have run out."
        yield Finding("no_engine", ENGINE_SERVICE, sentence, fix)
    counted = Counter(unit for presence in active for unit in presence.holds)
    for unit, count in sorted(counted.items()):
        if count > 1:
            who = " and ".join(sorted(presence.instance for presence in active if unit in presence.holds))
            fix = "stop one; if both go on, they do not hear one another: look at the broker and at replicas_deaf"
            yield Finding("two_engines", unit, f"{who} both decide: the agents obey the higher epoch.", fix)
    writing = {name: engines & live.keys() for name, engines in heard.engines.items()}
    for name, engines in sorted(writing.items()):
        if len(engines) > 1:
            sentence = f"{' and '.join(sorted(engines))} both wrote commands for {name}."
            fix = "if a takeover has just happened, look again; else stop one of them"
            yield Finding("two_engines_write", name, sentence, fix)
            return  # one is enough: it would be said of each miner


def _clocks(heard: Heard) -> Iterator[Finding]:
    ahead = {instance: seconds for instance, seconds in heard.ahead_seconds.items() if instance in heard.live}
    if not ahead:
        return
    common = median(ahead.values())
    if len(ahead) > 1 and abs(common) > CLOCK_TOLERATED_SECONDS and _agree(ahead.values(), common):
        fix = "mend this machine's clock (timedatectl; NTP); a demo that runs fast elsewhere looks the same"
        sentence = f"All replicas are {_off(common)} this machine's clock: most likely it is this clock that is off."
        yield Finding("clock_off", "this machine", sentence, fix, WARNING)
        return
    for instance, seconds in sorted(ahead.items()):
        if abs(seconds) > CLOCK_TOLERATED_SECONDS:
            sentence = f"Its clock is {_off(seconds)} ours. From 30 s on commands are refused as not of this time."
            yield Finding(
                "clock_off", instance, sentence, "NTP on that machine (timedatectl set-ntp true), then restart it"
            )


def _agree(seconds: Iterable[float], common: float) -> bool:
    return all(abs(each - common) <= CLOCK_TOLERATED_SECONDS for each in seconds)


def _off(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'}"


def _orphans(heard: Heard) -> Iterator[Finding]:
    found = orphans(heard)
    for orphan in found[:_ORPHANS_NAMED]:
        fix = "docker compose ps: does its agent run, healthy? Its log says why not. Is the device in farm.yaml at all?"
        yield Finding("untended", orphan.device.label, f"Nobody tends it ({orphan.sentence}).", fix)
    if len(found) > _ORPHANS_NAMED:
        sentence = f"{len(found)} devices in all have nobody who tends them."
        yield Finding("untended", "and more", sentence, "make fleet ARGS='status --json' names each")
    for sentence in doubly_tended(heard)[:_ORPHANS_NAMED]:
        fix = "restart one of the two: docker restart; then look whether they count one another"
        yield Finding("tended_twice", sentence.split(" is told")[0], f"{sentence}.", fix)


def _agreement(heard: Heard) -> Iterator[Finding]:
    for sentence in disagreements(heard):
        fix = "look again in 15 s; if it stays, one of them does not hear the broker: restart it, and look at its log"
        about = sentence.split(" ", 1)[0]
        yield Finding("replicas_deaf", about, f"{sentence}: they share by different lists.", fix)
    for presence in heard.live.values():
        if presence.leaving:
            sentence = f"It has given up {', '.join(presence.leaving)}, and its last step there still lasts."
            yield Finding("leaving", presence.instance, sentence, "look again in 30 s: a device may be slow", WARNING)


def _versions(heard: Heard) -> Iterator[Finding]:
    """Where there are no containers, the presence tells as well."""
    found: dict[str, set[str]] = {}
    for presence in heard.live.values():
        found.setdefault(presence.version, set()).add(presence.instance)
    if len(found) > 1:
        fewest = min(found, key=lambda version: (len(found[version]), version))
        said = ", ".join(f"{version or 'unknown'}: {len(instances)}" for version, instances in sorted(found.items()))
        sentence = f"The replicas are of different versions ({said}); this kind is the rarest: {fewest or 'unknown'}."
        fix = "docker compose build, then docker compose up --detach; versions one apart understand each other"
        yield Finding("versions_differ", ", ".join(sorted(found[fewest])), sentence, fix, WARNING)


def _ghosts(heard: Heard) -> Iterator[Finding]:
    for member in heard.of(Standing.GHOST):
        sentence = "The broker remembers it as online, and it is silent: a power cut, a frozen process, no network."
        fix = "does it run? If it is gone for good: make fleet ARGS='prune --older-than 1h --yes'"
        yield Finding("ghost", member.presence.instance, sentence, fix, WARNING)
