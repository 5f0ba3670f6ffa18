"""From an answer to its JSON, or to the reason why it is no good one. Pure."""

import json
from typing import Any, NoReturn

from services.pool_poller.places import at
from services.pool_poller.provider import Answer, Complaint, PoolAnswerError
from services.pool_poller.spec import ErrorPlace, Spec
from services.pool_poller.values import number_of, word_of

_SENTENCES: dict[Complaint, str] = {
    "unknown_account": "the pool does not know this account, or no worker of it",
    "unauthorized": "the pool refuses the key, or this account is not open to it",
    "rate_limited": "the pool says that it is asked too often",
    "bad_answer": "the pool's answer cannot be read",
    "retired": "this pool has closed",
    "pool_error": "the pool answered with an error",
}

_OK_FROM, _OK_BELOW = 200, 300
_REDIRECT_BELOW = 400
_UNAUTHORIZED = (401, 403, 407)
_TOO_MANY_REQUESTS = 429
_NOTHING_READ = object()


def refuse(code: Complaint, detail: str = "") -> NoReturn:
    """Raises PoolAnswerError. The detail is ours: a pool's own words may repeat a key."""
    raise PoolAnswerError(code, f"{_SENTENCES[code]}{detail and f' ({detail})'}")


def body_of(answer: Answer, spec: Spec) -> Any:
    """The JSON of a good answer. Raises PoolAnswerError for any other."""
    if answer.status == _TOO_MANY_REQUESTS:
        refuse("rate_limited")
    data = _json(answer.text, many_lines=spec.many_lines)
    # Before the status: pools explain themselves at any status, some at 200.
    for error in spec.errors:
        _look_for_error(data, error)
    _look_at_status(answer.status, spec)
    if data is _NOTHING_READ:
        refuse("bad_answer", _what_it_is(answer.text))
    return data


def _json(text: str, *, many_lines: bool) -> Any:
    try:
        # NaN and Infinity, which are not JSON and which pools write, are let through: values.py knows them for unknown.
        start = text.lstrip("\ufeff \t\r\n")
        data, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return _NOTHING_READ
    return data if many_lines or not start[end:].strip() else _NOTHING_READ


def _look_for_error(data: Any, error: ErrorPlace) -> None:
    said = at(data, error.place)
    word = word_of(said)
    if not word or word in error.fine:
        return
    within = [code for part, code in error.words.items() if part in word]
    number = number_of(said)
    refuse(
        error.codes.get(word, (*within, error.otherwise)[0]), f"its number {number:.0f}" if number is not None else ""
    )


def _look_at_status(status: int, spec: Spec) -> None:
    if _OK_FROM <= status < _OK_BELOW:
        return
    # Where no key is sent none is refused: then it is some firewall that speaks.
    if status in _UNAUTHORIZED and any("{secret}" in value for value in spec.headers.values()):
        refuse("unauthorized", f"status {status}")
    if status in spec.unknown_account_statuses:
        refuse("unknown_account", f"status {status}")
    if _OK_BELOW <= status < _REDIRECT_BELOW:
        refuse("pool_error", f"it sends us elsewhere, status {status}")
    refuse("pool_error", f"status {status}")


def _what_it_is(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        return "it is empty"
    return "a web page instead of data" if start.startswith("<") else "no whole JSON"
