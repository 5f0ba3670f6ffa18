"""How many heaps the threads of a process share."""

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of glibc
ARENAS = 2


def share_arenas() -> None:
    """Lets all threads allocate from two arenas, in this process and in those forked from it; glibc only.

    By default each thread gets one of its own, up to eight for each core: the hundred threads of an agent fill them
    with holes, which grow with every fault that a thread meets for the first time.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, ARENAS)
