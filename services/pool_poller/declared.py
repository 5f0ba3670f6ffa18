"""The provider that a Spec makes: the one engine of built-in pools and of those of the farm file. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from services.pool_poller.body import body_of, refuse
from services.pool_poller.places import at
from services.pool_poller.provider import Account, AccountFacts, Answer, PoolAnswerError, PoolRequest
from services.pool_poller.rows import Rows, facts_of
from services.pool_poller.spec import Spec
from services.pool_poller.values import number_of, word_of

PAGES_MAX = 10


class DeclaredProvider:
    """A pool as its Spec says; see PoolProvider."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.key = spec.key
        self.retired = spec.retired
        self.needs_secret = spec.needs_secret
        self.poll_seconds = spec.timing.poll_seconds
        self.poll_floor_seconds = spec.timing.poll_floor_seconds
        self.apart_seconds = spec.timing.apart_seconds
        self.offline_seconds = spec.timing.offline_seconds
        self.floor_seconds = spec.timing.floor_seconds

    def requests(self, account: Account, answers_so_far: Sequence[Answer]) -> Sequence[PoolRequest]:
        # A closed pool is asked nothing: nobody knows who owns its name now.
        if self.retired:
            return ()
        if not answers_so_far:
            return (self._request(account, 0),)
        if len(answers_so_far) < PAGES_MAX and self._is_more(answers_so_far):
            return (self._request(account, len(answers_so_far)),)
        return ()

    def parse(self, answers: Sequence[Answer], now: datetime) -> AccountFacts:
        if not answers:
            refuse("retired" if self.retired else "bad_answer")
        rows = Rows()
        for answer in answers:
            rows.take(self._body(answer), self.spec, now)
        if self._is_more(answers):
            rows.are_all = False
        return facts_of(rows, self.spec)

    def _body(self, answer: Answer) -> Any:
        """Where a special pool brings its answer into the shape that the Spec describes."""
        return body_of(answer, self.spec)

    def _is_more(self, answers: Sequence[Answer]) -> bool:
        paging = self.spec.paging
        if paging is None:
            return False
        try:
            body = self._body(answers[-1])
        except PoolAnswerError:
            return False
        if paging.total is not None:
            return (number_of(at(body, paging.total)) or 0) > len(answers)
        return paging.more is not None and word_of(at(body, paging.more)) not in {"", "false"}

    def _request(self, account: Account, page_index: int) -> PoolRequest:
        spec = self.spec
        words = {
            "{account}": account.name,
            "{coin}": account.extra.get("coin") or spec.coin,
            "{page}": str(page_index + (spec.paging.first if spec.paging else 0)),
        }
        quoted = {mark: quote(word, safe="") for mark, word in words.items()}
        in_url = quoted | {"{base}": _filled(spec.base.rstrip("/"), {"{coin}": quoted["{coin}"]})}
        # Where no key is given, no header is sent for it: an empty one would be refused as wrong.
        headers = {
            name: _filled(value, words | {"{secret}": account.secret or ""})
            for name, value in spec.headers.items()
            if account.secret is not None or "{secret}" not in value
        }
        body = None if spec.body is None else {name: _filled_any(value, words) for name, value in spec.body.items()}
        return PoolRequest(spec.method, _filled(spec.url, in_url), headers, body)


def _filled(template: str, words: Mapping[str, str]) -> str:
    """One pass, so that a mark within a word stays what it is."""
    filled = ""
    while template:
        mark = next((mark for mark in words if template.startswith(mark)), None)
        filled += words[mark] if mark else template[0]
        template = template[len(mark or " ") :]
    return filled


def _filled_any(value: Any, words: Mapping[str, str]) -> Any:
    return _filled(value, words) if isinstance(value, str) else value
