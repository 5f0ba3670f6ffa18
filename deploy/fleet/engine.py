"""The containers of one compose project, over the Docker SDK. All that is done to a container is done here."""

import io
import logging
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.fleet.container import DIRECTORY_LABEL, PROJECT_LABEL, Container, Usage, container_of, usage_of

_TIMEOUT_SECONDS = 20
_FILE_BYTES_MAX = 1_000_000
_LOG_LINES = 400
_UNKNOWN_USAGE = Usage()
_DEFAULT_PROJECT = "sunherd"
_NOT_INSTALLED = "The Docker SDK is not installed. Fix: pip install '.[fleet]' (`make fleet` does it)."


class NoEngineError(RuntimeError):
    """Docker cannot be used from here; the text says why and how to mend it."""


class Engine:
    """Docker, as far as this project is concerned."""

    def __init__(self, project: str | None = None, directory: Path | None = None) -> None:
        """`project`: its name; else the one that was started from `directory`. Raises NoEngineError."""
        try:
            import docker
        except ImportError as error:
            raise NoEngineError(_NOT_INSTALLED) from error
        # Its debug log writes down whole answers, and with them passwords.
        logging.getLogger("docker").setLevel(logging.WARNING)
        with _spoken_plainly():
            self._client = docker.from_env(timeout=_TIMEOUT_SECONDS)
        self._told: dict[str, Mapping[str, Any]] = {}
        with _spoken_plainly():
            self.project = project or self._project_of(directory or Path.cwd())

    def _project_of(self, directory: Path) -> str:
        for summary in self._summaries(f"{DIRECTORY_LABEL}={directory.resolve()}"):
            return str(summary["Labels"][PROJECT_LABEL])
        return _DEFAULT_PROJECT

    def _summaries(self, label: str) -> list[Any]:
        found: list[Any] = self._client.api.containers(all=True, filters={"label": [label]})
        return [each for each in found if each["Labels"].get("com.docker.compose.oneoff") != "True"]

    def containers(self, *, usage: bool = False) -> tuple[Container, ...]:
        """All of the project, running or not. With `usage` also what each takes since it was asked last."""
        with _spoken_plainly():
            identifiers = [str(summary["Id"]) for summary in self._summaries(f"{PROJECT_LABEL}={self.project}")]
            taken = self._usage_of(identifiers) if usage else {}
            found = [self._look(identifier, taken.get(identifier, _UNKNOWN_USAGE)) for identifier in identifiers]
        there = [container for container in found if container is not None]
        return tuple(sorted(there, key=lambda each: (each.service, each.number, each.name)))

    def container(self, identifier: str) -> Container | None:
        """As it is now; None when it is there no more."""
        with _spoken_plainly():
            return self._look(identifier)

    def _look(self, identifier: str, taken: Usage = _UNKNOWN_USAGE) -> Container | None:
        from docker.errors import NotFound

        try:
            return container_of(self._client.api.inspect_container(identifier), taken)
        except NotFound:  # removed since it was listed
            return None

    def _usage_of(self, identifiers: Sequence[str]) -> dict[str, Usage]:
        """Docker takes up to a second for each answer: all are asked before the first is waited for."""
        from docker.errors import NotFound

        asked: dict[str, Iterator[Any]] = {}
        for identifier in identifiers:
            with suppress(NotFound):
                asked[identifier] = self._client.api.stats(identifier, stream=True, decode=True)
        found = {}
        for identifier, answers in asked.items():
            told: Mapping[str, Any] = next(answers, {})
            # One answer tells what has been used so far: two of ours make the difference.
            before, self._told[identifier] = self._told.get(identifier), told
            found[identifier] = usage_of(told, before)
        return found

    def labels(self, container: Container) -> Mapping[str, str]:
        """All labels, those of compose among them."""
        with _spoken_plainly():
            found: Mapping[str, str] = self._client.api.inspect_container(container.identifier)["Config"]["Labels"]
        return found

    def image_of_tag(self, image: str) -> str | None:
        """The id of what a name such as `sunherd/vnish-agent:0.1.0` means at present; None: nothing."""
        from docker.errors import ImageNotFound

        with _spoken_plainly():
            try:
                return str(self._client.images.get(image).id)
            except ImageNotFound:
                return None

    def published_port(self, service: str, inner_port: int) -> int | None:
        """The port of this machine behind which a service of the project listens."""
        for container in self.containers():
            if container.service != service:
                continue
            with _spoken_plainly():
                told = self._client.api.inspect_container(container.identifier)
            # Of one that does not run only what was ordered is known; that is no number where Docker may choose.
            for ports in (told["NetworkSettings"].get("Ports"), told["HostConfig"].get("PortBindings")):
                for bound in (ports or {}).get(f"{inner_port}/tcp") or []:
                    if str(bound.get("HostPort", "")).isdecimal():
                        return int(bound["HostPort"])
        return None

    def stop(self, container: Container, grace_seconds: int) -> None:
        """SIGTERM, and SIGKILL when it has not ended by then."""
        with _spoken_plainly():
            self._client.containers.get(container.identifier).stop(timeout=grace_seconds)

    def start(self, container: Container) -> None:
        """The very container again: same name, same instance."""
        with _spoken_plainly():
            self._client.containers.get(container.identifier).start()

    def last_lines(self, container: Container) -> list[str]:
        """The end of its log."""
        with _spoken_plainly():
            text: bytes = self._client.api.logs(container.identifier, tail=_LOG_LINES)
        return text.decode(errors="replace").splitlines()

    def file(self, container: Container, path: str) -> bytes | None:
        """A file as the container sees it; None when it has none, or one that is too large."""
        from docker.errors import APIError

        collected = io.BytesIO()
        with _spoken_plainly():
            try:
                chunks, _ = self._client.api.get_archive(container.identifier, path)
                for chunk in chunks:
                    collected.write(chunk)
                    if collected.tell() > _FILE_BYTES_MAX:
                        return None
            except APIError:  # no such file, or a container that is being removed
                return None
        collected.seek(0)
        with suppress(tarfile.TarError), tarfile.open(fileobj=collected) as archive:
            for member in archive.getmembers():
                opened = archive.extractfile(member) if member.isfile() else None
                if opened is not None:
                    return opened.read()
        return None

    def close(self) -> None:
        """Lets go of Docker."""
        self._client.close()


@contextmanager
def _spoken_plainly() -> Iterator[None]:
    """Whatever goes wrong between us and Docker, as one error with its fix."""
    import requests
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, requests.RequestException) as error:
        text = " ".join(str(error).split())[:300]
        if "Permission denied" in text or "PermissionError" in text:
            fix = "run this as a user who may use Docker (group docker), or with sudo"
        else:
            fix = "start Docker, or set DOCKER_HOST to where it runs"
        message = f"Docker does not answer: {text}. Fix: {fix}."
        raise NoEngineError(message) from error
