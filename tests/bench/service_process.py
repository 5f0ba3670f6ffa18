"""One service in a process of its own, as it runs in production, on a broker of the bench's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.broker import RunningBroker

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 10.0


@contextmanager
def service_process(
    service: str, farm: str, broker: RunningBroker, directory: Path, instance: str = "bench"
) -> Iterator[psutil.Process]:
    """Runs `services.<service>` with this farm file until the end of the block; its log is in the directory."""
    own = directory / f"{service}-{instance}"
    own.mkdir()
    (own / "farm.yaml").write_text(farm, encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")}
    told = {
        "SUNHERD_FARM": str(own / "farm.yaml"),
        "SUNHERD_LOG_DIR": str(own),
        "SUNHERD_INSTANCE": instance,
        "SUNHERD_BROKER__URL": broker.url,
        "SUNHERD_BROKER__USERNAME": broker.username,
        "MQTT_PASSWORD": broker.password,
        "HA_TOKEN": "never used",
        # As `make` and the images set it (docs/decisions/0022).
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }
    process = subprocess.Popen([sys.executable, "-m", f"services.{service}"], cwd=ROOT, env={**inherited, **told})
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
