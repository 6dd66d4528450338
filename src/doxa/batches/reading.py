"""Files of results → answers in the journal."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doxa.batches.asked import NAME, Asked, Row
from doxa.errors import DataError, Refused, UsageError
from doxa.journal import Journal, locked
from doxa.models.http.faults import Fault, one_line, read_body
from doxa.models.http.parsing import outcomes
from doxa.types import Failure, Outcome, Reply

AT_ONCE = 1000
"""Lines that are committed together."""
_KIND = re.compile(r"[a-z0-9_]{1,40}")
"""A code that can be the kind of a failure: it is counted, and printed."""
_REQUEST = {"method", "url", "body"}


@dataclass(slots=True)
class Came:
    """What the lines of results were."""

    answers: int = 0
    known: int = 0
    """Answers that the journal had already."""
    strangers: int = 0
    """Lines about requests that this run did not make."""
    failures: Counter[str] = field(default_factory=Counter)
    """By kind, calls that gave no answer."""
    again: int = 0
    """Failures that the next file asks again."""


async def read(paths: Sequence[Path], out: Path) -> Came:
    """Take the results in `paths` to the journal in `out`; reading a file twice changes nothing.

    Raises `DataError` for a line that is no result (those before it are kept), `UsageError` for a folder without
    requests or when no line at all answers one of them.
    """
    if not (out / NAME).is_file():
        raise UsageError(
            f"{out} holds no run that asked by files", hint="name the folder that `doxa batch write` wrote to"
        )
    came = Came()
    with locked(out):
        journal, asked = Journal(out), Asked(out)
        try:
            for path in paths:
                for results in _portions(path):
                    await _take(results, journal, asked, came)
        finally:
            asked.close()
            journal.close()
    if came.strangers and not (came.answers or came.known or came.failures):
        raise UsageError(f"no line answers a request of {out}", hint="name the run's folder with --out")
    return came


def _portions(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The results of a file, so many at a time. Raises `DataError` for a line that is none, after those before it."""
    some = list[dict[str, Any]]()
    try:
        for result in _results(path):
            some.append(result)
            if len(some) == AT_ONCE:
                yield some
                some = []
    except DataError:
        yield some
        raise
    yield some


def _results(path: Path) -> Iterator[dict[str, Any]]:
    """What each line says. Raises `DataError` for one that is no result."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _result(line, f"{path}, line {number}")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", hint="give the files of results") from error


def _result(line: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not (isinstance(value, dict) and isinstance(value.get("custom_id"), str)):
        raise DataError(f"{place} is no result of a batch", hint="was the file cut? what stands before it is kept")
    if value.keys() >= _REQUEST and not value.keys() & {"response", "error"}:
        raise DataError(f"{place} is a request, not a result", hint="give the files that came back from the provider")
    return value


async def _take(results: Iterable[dict[str, Any]], journal: Journal, asked: Asked, came: Came) -> None:
    """Record the answers, then forget that they were asked."""
    arrived: dict[bytes, tuple[Row, Reply]] = {}
    for result in results:
        key = _key(result["custom_id"])
        row = asked.get(key)
        if key in arrived or (row is None and journal.get(key) is not None):
            came.known += 1
        elif row is None:
            came.strangers += 1
        elif isinstance(outcome := outcome_of(result), Reply):
            arrived[key] = (row, outcome)
        else:
            asked.fail(key, outcome)
            came.failures[outcome.kind] += 1
            came.again += outcome.retryable
    await asyncio.gather(*(journal.put(key, row.model, row.request, reply) for key, (row, reply) in arrived.items()))
    for key in arrived:
        asked.forget(key)
    asked.commit()
    came.answers += len(arrived)


def _key(custom_id: str) -> bytes:
    try:
        return bytes.fromhex(custom_id)
    except ValueError:
        return b""


def outcome_of(result: dict[str, Any]) -> Outcome:
    """The reply in a line of results, or the failure in its place; parsed and checked like an answer over HTTP.

    What the provider never sent to the model (expired, cancelled, out of quota) may be asked again.
    """
    response, error = result.get("response"), result.get("error")
    if not isinstance(response, dict):
        error = error if isinstance(error, dict) else {"message": error or "neither response nor error"}
        code = error.get("code")
        kind = code if isinstance(code, str) and _KIND.fullmatch(code) else "batch_error"
        return Failure(kind, one_line(str(error.get("message") or "")), retryable=True)
    body, status = response.get("body"), response.get("status_code", 200)
    sent = json.dumps(body or ({"error": error} if error else {})).encode()
    try:
        value = read_body(status if isinstance(status, int) else 500, {}, sent, time.time())
    except Refused as refused:
        return Failure("refused", str(refused), retryable=True)
    return Failure(value.kind, value.message, value.retry) if isinstance(value, Fault) else outcomes(value)[0]
