"""The policy engine as a process."""

from functools import partial

from services.policy_engine.engine import Engine
from services.policy_engine.needed import is_needed
from services.policy_engine.settings import rules_of
from shared.launch import Context, launch


def build(context: Context) -> bool:
    """Wires the engine; without miners there is nothing to decide."""
    if not is_needed(context.farm):
        return False
    site, rules = context.farm.site.id, rules_of(context.farm)
    # One decides for a site, as long as it lives; a standby learns everything from the retained commands.
    context.share({f"engine-{site}": partial(Engine, rules=rules, site=site)}, keeps=True)
    return True


def main() -> None:
    """Runs until SIGTERM."""
    launch("policy_engine", build)


if __name__ == "__main__":
    main()
