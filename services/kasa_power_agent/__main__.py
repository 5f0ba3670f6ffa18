"""`python -m services.kasa_power_agent`."""

from services.kasa_power_agent.needed import CONCERN
from services.kasa_power_agent.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs the service until SIGTERM."""
    launch("kasa_power_agent", build, CONCERN)


if __name__ == "__main__":
    main()
