"""`python -m services.vnish_agent`."""

from services.vnish_agent.needed import CONCERN
from services.vnish_agent.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs the service until SIGTERM."""
    launch("vnish_agent", build, CONCERN)


if __name__ == "__main__":
    main()
