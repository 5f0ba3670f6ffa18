"""The Kubernetes manifests of this checkout, read once."""

from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
BASE = ROOT / "deploy" / "k8s" / "base"
EXAMPLE = ROOT / "deploy" / "k8s" / "overlays" / "example"
SERVICES = sorted(
    folder.name.replace("_", "-")
    for folder in (ROOT / "services").iterdir()
    if (folder / "__main__.py").exists() and folder.name != "simulator"
)
NAME, PART = "app.kubernetes.io/name", "app.kubernetes.io/part-of"

Json = dict[str, Any]


def documents(text: str) -> list[Json]:
    return [document for document in YAML(typ="safe", pure=True).load_all(StringIO(text)) if document]


def read(path: Path) -> list[Json]:
    return documents(path.read_text(encoding="utf-8"))


def kustomization(folder: Path) -> Json:
    (found,) = read(folder / "kustomization.yaml")
    return found


@cache
def manifests() -> list[Json]:
    return [document for file in kustomization(BASE)["resources"] for document in read(BASE / file)]


def of_kind(kind: str) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def deployment(name: str) -> Json:
    return of_kind("Deployment")[name]


def pod(name: str) -> Json:
    found = deployment(name)["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def container(name: str) -> Json:
    (only,) = pod(name)["containers"]
    assert isinstance(only, dict)
    return only


def is_deployment(manifest: Json) -> bool:
    return bool(manifest["kind"] == "Deployment")


def image(manifest: Json) -> str:
    return str(manifest["spec"]["template"]["spec"]["containers"][0]["image"])


def references(spec: Json) -> set[str]:
    """The ConfigMaps and Secrets that a pod uses."""
    volumes = [volume[kind] for volume in spec["volumes"] for kind in ("configMap", "secret") if kind in volume]
    variables = [source["configMapRef"] for source in spec["containers"][0]["envFrom"]]
    return {str(each.get("name") or each["secretName"]) for each in [*volumes, *variables]}
