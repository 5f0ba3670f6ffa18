"""The Kubernetes manifests: valid by the published schemas, and in agreement with our services."""

import shutil
import subprocess
from copy import deepcopy
from io import StringIO
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from shared.settings import load_farm
from shared.version import VERSION
from tests.k8s_manifests import (
    BASE,
    EXAMPLE,
    NAME,
    PART,
    SERVICES,
    Json,
    container,
    deployment,
    documents,
    image,
    is_deployment,
    kustomization,
    manifests,
    of_kind,
    pod,
    references,
)

VERSIONS = ("1.28", "1.33", "1.37")
NEWEST = VERSIONS[-1]

# --- valid


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_is_valid_by_itself(version: str) -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_notice_a_slip_of_the_pen() -> None:
    wrong = deepcopy(deployment("vnish-agent"))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_the_kustomization_lists_exactly_the_files() -> None:
    assert sorted(kustomization(BASE)["resources"]) == sorted(
        file.name for file in BASE.iterdir() if file.name != "kustomization.yaml"
    )


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=["base", "example"])
def test_what_kustomize_makes_of_it_is_valid(folder: Path) -> None:
    program = shutil.which("kubectl") or shutil.which("kustomize")
    if program is None:
        pytest.skip("NEITHER kubectl NOR kustomize: the overlay is not put together here")
    command = [program, "kustomize" if program.endswith("kubectl") else "build", str(folder)]
    made = documents(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    for document in made:
        kubernetes_validate.validate(document, NEWEST, strict=True)
    assert {document["metadata"].get("namespace", "sunherd") for document in made} == {"sunherd"}
    if folder == EXAMPLE:
        there = {each["metadata"]["name"] for each in made if each["kind"] in {"ConfigMap", "Secret"}}
        wanted = set().union(*(references(each["spec"]["template"]["spec"]) for each in made if is_deployment(each)))
        assert wanted == there, "each name ends in its fingerprint, wherever it is used"
        assert all(image(each).startswith("registry.example/") for each in made if is_deployment(each))


# --- in agreement


def test_there_is_a_deployment_for_each_service() -> None:
    assert sorted(of_kind("Deployment")) == SERVICES
    assert sorted(of_kind("PodDisruptionBudget")) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_names_labels_and_selectors_agree(name: str) -> None:
    labels = {NAME: name, PART: "sunherd"}
    manifest, budget = deployment(name), of_kind("PodDisruptionBudget")[name]
    spread = pod(name)["topologySpreadConstraints"][0]
    assert manifest["metadata"]["labels"] == labels
    assert manifest["spec"]["selector"]["matchLabels"] == labels
    assert manifest["spec"]["template"]["metadata"]["labels"] == labels
    assert spread["labelSelector"]["matchLabels"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels
    assert container(name)["name"] == name
    mounts = {mount["name"] for mount in container(name)["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod(name)["volumes"]}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_who_it_is_at_the_broker(name: str) -> None:
    env = {entry["name"]: entry for entry in container(name)["env"]}
    assert env["SUNHERD_BROKER__USERNAME"]["value"] == name
    assert env["SUNHERD_INSTANCE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert container(name)["image"] == f"sunherd/{name}:{VERSION}"
    assert references(pod(name)) == {"sunherd-farm", "sunherd-broker", "sunherd-broker-ca", f"sunherd-{name}"}


@pytest.mark.parametrize("name", SERVICES)
def test_of_two_replicas_one_goes_at_a_time(name: str) -> None:
    spec = deployment(name)["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    assert of_kind("PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1


def test_services_differ_in_nothing_but_what_they_are() -> None:
    def neutral(name: str) -> Json:
        text = StringIO()
        YAML(typ="safe", pure=True).dump(deployment(name), text)
        (found,) = documents(text.getvalue().replace(name, "SERVICE"))
        del found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
        return found

    assert all(neutral(name) == neutral(SERVICES[0]) for name in SERVICES)


# --- the example


def test_the_example_brings_all_that_the_base_leaves_open() -> None:
    example = kustomization(EXAMPLE)
    brought = {each["name"] for each in [*example["configMapGenerator"], *example["secretGenerator"]]}
    assert brought == set().union(*(references(pod(name)) for name in SERVICES))
    assert {each["name"]: each["newTag"] for each in example["images"]} == {
        f"sunherd/{name}": VERSION for name in SERVICES
    }
    patched = {patch["target"]["name"] for patch in example["patches"]}
    own = {name for name, policy in of_kind("NetworkPolicy").items() if "192.168." in str(policy)} - {"pools"}
    assert patched == own, "each address of somebody's own network"


def test_the_example_holds_no_secret_and_git_keeps_none() -> None:
    files = sorted((EXAMPLE / "secrets").iterdir())
    assert [file.stem for file in files] == SERVICES
    for file in files:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert "MQTT_PASSWORD=" in lines
        assert all(line.endswith("=") for line in lines)
    assert (EXAMPLE.parent / ".gitignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_only_the_bridge_is_given_the_token() -> None:
    holders = [file.stem for file in (EXAMPLE / "secrets").iterdir() if "HA_TOKEN" in file.read_text(encoding="utf-8")]
    assert holders == ["soc-bridge"]


def test_the_example_farm_is_a_farm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HA_TOKEN", "x")
    farm = load_farm(EXAMPLE / "farm.yaml")
    assert farm.observe, "a first try touches no miner"
