"""Which of a pool's workers is meant. Pools write names with or without the account, and in the case that they like."""

from collections.abc import Sequence

from services.pool_poller.provider import WorkerFacts


class Listed:
    """The names of one answer, sorted so that a farm of a thousand miners need not read them a thousand times."""

    def __init__(self, workers: Sequence[WorkerFacts]) -> None:
        self._exact: dict[str, list[WorkerFacts]] = {}
        self._by_last_piece: dict[str, list[WorkerFacts]] = {}
        for worker in workers:
            self._exact.setdefault(worker.name, []).append(worker)
            # Names that fit in any way have this in common.
            self._by_last_piece.setdefault(_last_piece(worker.name), []).append(worker)

    def fitting(self, wanted: str) -> list[WorkerFacts]:
        """The workers of this name: exactly, then without regard to case, then by what follows a dot (`account.rig7`).

        Where one step fits several, nobody can tell which is meant.
        """
        if wanted in self._exact:
            return self._exact[wanted]
        candidates = self._by_last_piece.get(_last_piece(wanted), ())
        for fits in (_same_but_for_case, _same_after_dot):
            found = [worker for worker in candidates if fits(worker.name, wanted)]
            if found:
                return found
        return []


def find_worker(workers: Sequence[WorkerFacts], wanted: str) -> WorkerFacts | None:
    """The one that fits; None where none or several do."""
    found = Listed(workers).fitting(wanted)
    return found[0] if len(found) == 1 else None


def _last_piece(name: str) -> str:
    return name.casefold().rpartition(".")[2]


def _same_but_for_case(name: str, wanted: str) -> bool:
    return name.casefold() == wanted.casefold()


def _same_after_dot(name: str, wanted: str) -> bool:
    # Not the last piece of both: `rig.1` would then be taken for `shed.1` as soon as it is dead and left out.
    name, wanted = name.casefold(), wanted.casefold()
    return name.endswith(f".{wanted}") or (name != "" and wanted.endswith(f".{name}"))
