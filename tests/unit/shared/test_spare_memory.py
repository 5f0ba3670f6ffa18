"""Whether free memory is given back to the machine although something that lives stands behind it."""

import os
import platform
from pathlib import Path

import pytest

from shared.spare_memory import give_back

_BLOCKS, _BLOCK_BYTES, _ONE_LIVES_IN = 20_000, 2000, 50


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has it")
def test_free_memory_between_what_lives_is_given_back() -> None:
    blocks = [bytes([number % 256]) * _BLOCK_BYTES for number in range(_BLOCKS)]
    alive = blocks[::_ONE_LIVES_IN]
    blocks.clear()
    before_mb = resident_mb()
    give_back()
    assert before_mb - resident_mb() > 0.5 * _BLOCKS * _BLOCK_BYTES / 1e6
    assert len(alive) == _BLOCKS / _ONE_LIVES_IN
