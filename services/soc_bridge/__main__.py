"""Starts the bridge: `python -m services.soc_bridge`."""

from services.soc_bridge.needed import CONCERN
from services.soc_bridge.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs until SIGTERM."""
    launch("soc_bridge", build, CONCERN)


if __name__ == "__main__":
    main()
