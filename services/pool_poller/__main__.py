"""`python -m services.pool_poller`."""

from services.pool_poller.needed import CONCERN
from services.pool_poller.wiring import build
from shared.launch import launch


def main() -> None:
    """Runs the service until SIGTERM."""
    launch("pool_poller", build, CONCERN)


if __name__ == "__main__":
    main()
