"""Whether the tests take enough of the branches: `python -m tests.branches coverage.json`, used by `make coverage`."""

import json
import sys
from pathlib import Path

LOWEST_PERCENT = 95.0
PARTS = ("shared/", "services/policy_engine/")


def percent_of(files: dict[str, dict[str, dict[str, int]]], part: str) -> float:
    """The share of a part's branches that were taken."""
    summaries = [file["summary"] for path, file in files.items() if path.startswith(part)]
    there, taken = (sum(one[name] for one in summaries) for name in ("num_branches", "covered_branches"))
    return 100 * taken / there if there else 0.0


def main() -> int:
    files = json.loads(Path(sys.argv[1]).read_text())["files"]
    shares = {part: percent_of(files, part) for part in PARTS}
    for part, share in shares.items():
        print(f"{share:6.1f} % of the branches of {part} are taken by a test; at least {LOWEST_PERCENT:g} % must be")
    return 0 if min(shares.values()) >= LOWEST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
