"""Starts the simulator: `python -m services.simulator`."""

from services.simulator.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs until SIGTERM."""
    # Hardware does not begin anew because somebody edits a file.
    launch("simulator", build, follows=False)


if __name__ == "__main__":
    main()
