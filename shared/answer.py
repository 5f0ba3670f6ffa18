"""The answer to a person's request: one event of the same miner or group. Pure."""

from datetime import datetime

from shared.messages import Event, Request, Severity

ACCEPTED, REFUSED = "request_accepted", "request_refused"


def answer_to(request: Request, at: datetime, sentence: str, *, accepted: bool, by: str | None = None) -> Event:
    """Whoever asked knows it again by `request`, the request's own date. `by`: where the name has been made plain."""
    kind = str(request.kind)
    return Event(
        at=at,
        code=ACCEPTED if accepted else REFUSED,
        severity=Severity.INFO if accepted else Severity.WARNING,
        sentence=sentence if accepted else f"{kind} refused: {sentence}",
        numbers={"request": request.at.isoformat(), "kind": kind, "by": request.by if by is None else by},
    )
