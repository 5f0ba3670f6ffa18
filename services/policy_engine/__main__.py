"""The policy engine as a process."""

from datetime import timedelta
from functools import partial

from services.policy_engine.engine import Engine
from services.policy_engine.needed import CONCERN, is_needed
from services.policy_engine.settings import rules_of
from shared.launch import Context, launch
from shared.service import BEAT_SECONDS


def build(context: Context) -> bool:
    """Wires the engine; without miners there is nothing to decide."""
    if not is_needed(context.farm):
        return False
    site, rules = context.farm.site.id, rules_of(context.farm)
    silence = timedelta(seconds=context.settle_seconds + BEAT_SECONDS) if context.settle_seconds else None
    # One decides for a site, as long as it lives; a standby learns everything from the retained commands.
    context.share({f"engine-{site}": partial(Engine, rules=rules, site=site, rival_silence=silence)}, keeps=True)
    return True


def main() -> None:
    """Runs until SIGTERM."""
    launch("policy_engine", build, CONCERN)


if __name__ == "__main__":
    main()
