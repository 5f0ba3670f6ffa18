"""The policy engine as a process."""

from services.policy_engine.engine import Engine
from services.policy_engine.needed import is_needed
from services.policy_engine.settings import rules_of
from shared.launch import Context, launch


def build(context: Context) -> bool:
    """Wires the engine; without miners there is nothing to decide."""
    if not is_needed(context.farm):
        return False
    Engine(context.service, rules_of(context.farm), context.farm.site.id)
    return True


def main() -> None:
    """Runs until SIGTERM."""
    launch("policy_engine", build)


if __name__ == "__main__":
    main()
