"""`python -m services.bitaxe_agent`."""

from services.bitaxe_agent.needed import CONCERN
from services.bitaxe_agent.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs the service until SIGTERM."""
    launch("bitaxe_agent", build, CONCERN)


if __name__ == "__main__":
    main()
