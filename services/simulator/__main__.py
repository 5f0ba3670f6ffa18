"""Starts the simulator: `python -m services.simulator`."""

from services.simulator.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs until SIGTERM."""
    launch("simulator", build)


if __name__ == "__main__":
    main()
