"""Puts the service together."""

from functools import partial

from services.ha_discovery.needed import is_needed
from services.ha_discovery.showing import Showing
from shared.launch import Context


def build(context: Context) -> bool:
    """False where nobody wants to be shown anything. Of several replicas one shows the farm, as long as it lives."""
    if not is_needed(context.farm):
        return False
    # Whoever has it keeps it: each change would announce everything anew.
    context.share({f"show-{context.farm.site.id}": partial(Showing, farm=context.farm)}, keeps=True)
    return True
