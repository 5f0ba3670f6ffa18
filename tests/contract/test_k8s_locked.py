"""The Kubernetes manifests: locked down, and each service reaches only what it must."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.k8s_manifests import NAME, PART, SERVICES, Json, container, deployment, of_kind

# --- locked down


def weaknesses(manifest: Json) -> list[str]:
    """What a careful operator would not let in."""
    spec = manifest["spec"]["template"]["spec"]
    context, (only,) = spec.get("securityContext", {}), spec["containers"]
    own = only.get("securityContext", {})
    limits, requests = (only.get("resources", {}).get(kind, {}) for kind in ("limits", "requests"))
    found = {
        "runs as root": context.get("runAsNonRoot") is not True or context.get("runAsUser") != 10001,
        "no seccomp profile": context.get("seccompProfile") != {"type": "RuntimeDefault"},
        "writable root": own.get("readOnlyRootFilesystem") is not True,
        "capabilities": own.get("capabilities") != {"drop": ["ALL"]},
        "may gain privileges": own.get("allowPrivilegeEscalation") is not False,
        "privileged": bool(own.get("privileged")),
        "no limits": not {"cpu", "memory"} <= set(limits),
        "no requests": not {"cpu", "memory"} <= set(requests),
        "a probe is missing": not {"startupProbe", "livenessProbe", "readinessProbe"} <= set(only),
        "image of no version": only["image"].endswith(":latest") or ":" not in only["image"],
        "a path of the host": any("hostPath" in volume for volume in spec["volumes"]),
        "a namespace of the host": any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
        "a port": "ports" in only,
        "a token of Kubernetes": spec.get("automountServiceAccountToken") is not False,
        "a secret in the environment": any("secretRef" in each for each in only["envFrom"])
        or any("secretKeyRef" in entry.get("valueFrom", {}) for entry in only["env"]),
        "dies too fast": spec.get("terminationGracePeriodSeconds", 0) < 15,
        "a disk that grows": any("sizeLimit" not in v["emptyDir"] for v in spec["volumes"] if "emptyDir" in v),
    }
    return [name for name, is_weak in found.items() if is_weak]


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_locked_down(name: str) -> None:
    assert weaknesses(deployment(name)) == []


def _set(path: str, value: Any, manifest: Json) -> None:
    place: Any = manifest["spec"]["template"]["spec"]
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    for step in steps:
        place = place[step]
    place[last] = value


@pytest.mark.parametrize(
    ("weakness", "spoil"),
    [
        ("runs as root", partial(_set, "securityContext/runAsUser", 0)),
        ("no seccomp profile", partial(_set, "securityContext/seccompProfile", {"type": "Unconfined"})),
        ("writable root", partial(_set, "containers/0/securityContext/readOnlyRootFilesystem", False)),
        ("capabilities", partial(_set, "containers/0/securityContext/capabilities", {"add": ["NET_ADMIN"]})),
        ("may gain privileges", partial(_set, "containers/0/securityContext/allowPrivilegeEscalation", True)),
        ("privileged", partial(_set, "containers/0/securityContext/privileged", True)),
        ("no limits", partial(_set, "containers/0/resources/limits", {"cpu": "1"})),
        ("no requests", partial(_set, "containers/0/resources/requests", {})),
        ("image of no version", partial(_set, "containers/0/image", "sunherd/vnish-agent:latest")),
        ("a path of the host", partial(_set, "volumes/0", {"name": "farm", "hostPath": {"path": "/"}})),
        ("a namespace of the host", partial(_set, "hostNetwork", True)),
        ("a port", partial(_set, "containers/0/ports", [{"containerPort": 80}])),
        ("a token of Kubernetes", partial(_set, "automountServiceAccountToken", True)),
        ("a secret in the environment", partial(_set, "containers/0/envFrom", [{"secretRef": {"name": "all"}}])),
        ("dies too fast", partial(_set, "terminationGracePeriodSeconds", 1)),
        ("a disk that grows", partial(_set, "volumes/3/emptyDir", {})),
    ],
)
def test_each_weakness_would_be_seen(weakness: str, spoil: Callable[[Json], None]) -> None:
    manifest = deepcopy(deployment("vnish-agent"))
    spoil(manifest)
    assert weaknesses(manifest) == [weakness]


@pytest.mark.parametrize("name", SERVICES)
def test_its_probes_ask_what_they_are_for(name: str) -> None:
    only = container(name)
    asked = {probe: only[probe]["exec"]["command"][-1] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}, (
        "a broker that is away must not have all services started anew"
    )
    assert all(only[probe]["exec"]["command"][:3] == ["python", "-m", "shared.health"] for probe in asked)
    file = next(entry["value"] for entry in only["env"] if entry["name"] == "SUNHERD_HEALTH_FILE")
    assert Path(file).parent.as_posix() in {mount["mountPath"] for mount in only["volumeMounts"]}, "where it may write"


# --- who may reach whom


def selects(policy: Json, name: str) -> bool:
    selector = policy["spec"]["podSelector"]
    labels = {NAME: name, PART: "sunherd"}
    matched = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return matched and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))


def reach(name: str) -> set[tuple[str, int]]:
    """The names of the policies and the ports that a service may reach."""
    return {
        (policy_name, port["port"])
        for policy_name, policy in of_kind("NetworkPolicy").items()
        if selects(policy, name)
        for rule in policy["spec"].get("egress", [])
        for port in rule["ports"]
    }


def test_nothing_is_allowed_that_is_not_named() -> None:
    nothing = of_kind("NetworkPolicy")["nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert not [policy for policy in of_kind("NetworkPolicy").values() if "ingress" in policy["spec"]], "nobody listens"


@pytest.mark.parametrize(
    ("name", "besides"),
    [
        ("policy-engine", set()),
        ("soc-bridge", {("home-assistant", 8123)}),
        ("vnish-agent", {("miners", 80)}),
        ("bitaxe-agent", {("miners", 80)}),
        ("kasa-power-agent", {("plugs", 9999), ("plugs", 80)}),
        ("pool-poller", {("pools", 443)}),
        ("ha-discovery", set()),
    ],
)
def test_each_reaches_the_broker_names_and_its_own(name: str, besides: set[tuple[str, int]]) -> None:
    assert reach(name) == {("names", 53), ("broker", 8883)} | besides


def test_pools_are_not_at_home() -> None:
    (rule,) = of_kind("NetworkPolicy")["pools"]["spec"]["egress"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= set(rule["to"][0]["ipBlock"]["except"])
