"""A run's plan → files of the requests that can be known now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa import flow, runs
from doxa.batches.asked import Asked
from doxa.errors import Incomplete, Unanswered, Unavailable, UsageError
from doxa.files import draft
from doxa.inquiry import Caller, Calls, Inquiry
from doxa.journal import Journal, key_of
from doxa.many import for_each
from doxa.models.openai import OpenAI
from doxa.services import close_services, open_services
from doxa.types import Capabilities, Failure, Model, Outcome, Question, Record, Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

URL = "/v1/chat/completions"
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""What OpenAI takes in one file."""


@dataclass(frozen=True, slots=True)
class Written:
    """What went into files, what is in earlier ones and still has no answer, and what failed for good."""

    files: tuple[Path, ...]
    requests: int
    waiting: int
    failed: int = 0
    """Requests that no further file asks; the run itself asks them once more."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to ask by files: the run itself has all its answers but those that failed."""
        return not self.requests and not self.waiting


@dataclass(eq=False)
class Asker:
    """A caller that asks nobody: it looks into the journal, and notes what is not there.

    What failed for good before fails again at once.
    """

    model: OpenAI
    journal: Journal
    asked: Asked
    again: bool = False
    """Ask once more what is in earlier files and has no answer."""
    waiting: set[bytes] = field(default_factory=set)
    failed: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take the model's identity: it is the one that answers."""
        self._identity = Caller(self.model).identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the model."""
        return self.model.capabilities

    async def call(self, request: Request) -> Outcome:
        """The answer, if it is there. Raises `Unanswered` if it is not."""
        phrased = self.model.phrase(request)
        if isinstance(phrased, Failure):
            return phrased
        key = key_of(self._identity, request)
        return self.journal.get(key) or self._note(key, request, json.dumps(phrased, ensure_ascii=False))

    async def hidden(self, request: Request, layers: Sequence[int]) -> NDArray[np.float32]:
        """A server shows none, so that nobody asks. Raises `Unavailable`."""
        raise Unavailable("a server does not show its hidden states")

    def _note(self, key: bytes, request: Request, body: str) -> Failure:
        known = self.asked.get(key)
        if known and not self.again and known.file is not None:
            if known.failure and not known.failure.retryable and known.body == body:
                self.failed.add(key)
                return known.failure
            if not known.failure:
                self.waiting.add(key)
                raise Unanswered("it is in a file that has not been read back")
        if not (known and known.file is None):
            self.asked.put(key, self._identity, request, body)
        raise Unanswered("it goes into the next file")


async def write(
    model: Model, plan: flow.Plan, out: Path, *, again: bool = False, notes: Mapping[str, Any] | None = None
) -> Written:
    """Write what can be asked now into files of `out`/batch; the folder is that of the run, which goes on from there.

    What the answers lead to is asked by the next call, after `read`. What is in earlier files and has no answer is not
    asked twice unless `again`. Raises `UsageError` for a model that is no server.
    """
    if not isinstance(model, OpenAI):
        raise UsageError(f"{model.name} is not asked by files", hint="a batch is for models openai/NAME")
    run_id = plan.run_id(model)
    with runs.claimed(out, run_id, fresh=False):
        if not (out / runs.INFO).is_file():
            info = flow.describe(run_id, model, plan, notes or {})
            runs.write_json(out / runs.INFO, {**info, "status": "incomplete"})
        journal, asked = Journal(out), Asked(out)
        try:
            waiting, failed = await _ask(model, plan, journal, asked, again)
            files, requests = _files(out / "batch", asked)
        finally:
            asked.close()
            journal.close()
    return Written(tuple(files), requests, waiting, failed)


async def _ask(model: OpenAI, plan: flow.Plan, journal: Journal, asked: Asked, again: bool) -> tuple[int, int]:
    """Note everything the plan asks for now; returns how much of it is in earlier files, and how much failed."""
    callers, askers = dict[str, Calls](), list[Asker]()
    for role, each in (("subject", model), ("judge", plan.judge)):
        if isinstance(each, OpenAI):
            _heed(each, asked)
            askers.append(Asker(each, journal, asked, again))
            callers[role] = askers[-1]
        elif each is not None:
            callers[role] = Caller(each, journal)  # a judge on this machine answers at once
    services = open_services(plan.services, journal)
    others = asyncio.all_tasks()
    try:
        await _tell(plan, partial(flow.ask, plan=plan, callers=callers, services=services))
        # Whoever waits for one missing answer leaves siblings behind that may still ask for others.
        while left := asyncio.all_tasks() - others:
            await asyncio.wait(left)
    finally:
        close_services(services)
    return sum(len(each.waiting) for each in askers), sum(len(each.failed) for each in askers)


def _heed(model: OpenAI, asked: Asked) -> None:
    """Learn from complaints about earlier requests how the server wants them phrased."""
    for row in asked.failed():
        if row.failure and row.failure.kind == "bad_request" and row.model.startswith(model.fingerprint + "\n"):
            model.heed(row.failure, json.loads(row.body))


async def _tell(plan: flow.Plan, inquire: partial[Inquiry]) -> None:
    """Tell all stories as far as they go; what takes many questions only once each question is told by itself."""
    learners = any(flow.learns(each) or flow.compares(each) for each in plan.estimators.values())

    async def told(question: Question) -> Record | None:
        try:
            record = await flow.tell(question, plan, inquire)
        except Unanswered:
            return None
        return record if learners else None

    records = await for_each(plan.questions, told)
    known = [record for record in records if record is not None]
    if learners and len(known) == len(records):
        try:
            await flow.confer(known, plan, inquire)
        except Unanswered:
            return  # what is learnt from these answers asks further ones


def _files(folder: Path, asked: Asked) -> tuple[list[Path], int]:
    """Write all that is due; it counts as written once the last file stands."""
    made, requests = list[Path](), 0
    number = asked.files
    for lines in split(asked.due()):
        number += 1
        path = folder / f"requests-{number:04}.jsonl"
        with draft(path, error=Incomplete, hint="make room, then the same command goes on") as part:
            part.write_bytes(b"".join(line for _, line in lines))
        for key, _ in lines:
            asked.sent(key, number)
        made.append(path)
        requests += len(lines)
    asked.files = number
    asked.commit()
    return made, requests


def split(due: Iterator[tuple[str, bytes, str]]) -> Iterator[list[tuple[bytes, bytes]]]:
    """Keys and lines in the portions of a file: of one model each, and of no more than a provider takes."""
    portion, size, last = list[tuple[bytes, bytes]](), 0, ""
    for model, key, body in due:
        line = f'{{"custom_id": "{key.hex()}", "method": "POST", "url": "{URL}", "body": {body}}}\n'.encode()
        full = len(portion) == MOST_REQUESTS or size + len(line) > MOST_BYTES
        if portion and (full or model != last):
            yield portion
            portion, size = [], 0
        portion.append((key, line))
        size, last = size + len(line), model
    if portion:
        yield portion
