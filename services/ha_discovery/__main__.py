"""Starts the discovery: `python -m services.ha_discovery`."""

from services.ha_discovery.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs until SIGTERM."""
    launch("ha_discovery", build)


if __name__ == "__main__":
    main()
