"""The scheduler: one worker thread keeps the model busy with whatever thousands of callers ask at the same time."""

from __future__ import annotations

import asyncio
import atexit
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any

import torch

from doxa.errors import DoxaError, Unavailable
from doxa.models.engine.cache import Prefixes
from doxa.models.engine.jobs import Job
from doxa.models.engine.network import Network, Span
from doxa.models.engine.rows import Answers, Row, Stream, Tree, draw
from doxa.models.engine.table import Table
from doxa.models.engine.templates import Template
from doxa.models.engine.text import Text
from doxa.types import Failure, Reply, Usage

PASS = 2048
"""Tokens of prompts per forward pass; more do not make it faster."""
POSITIONS = 512
"""Positions per pass whose full distribution is held at once when scoring."""
WASTE = 64
"""Padding per pass that is cheaper than a pass of its own."""
BUSY = 128
"""Rows that use the machine well: with as many under way, what is to enter may wait for company."""
COMPANY, PATIENCE = 32, 4
"""How many should enter together, and for how many turns fewer wait."""
AHEAD = 8
"""Tokens in common beyond the known ones that are worth a pass of their own for the first who has them."""
LINGER = 0.002
"""Seconds an idle worker lets a burst of requests gather."""


@dataclass(eq=False)
class Scheduler:
    """Admits requests continuously, under `budget` tokens (rows × width) of cache."""

    network: Network
    template: Template
    ends: frozenset[int]
    budget: int
    model: str
    threads: int

    def __post_init__(self) -> None:
        """Start the worker."""
        self._changed = Condition()
        self._inbox: list[Job] = []
        self._arrived: list[Job] = []
        self._jobs: dict[Hashable, Job] = {}
        self._closing = False
        self._reset()
        self._thread = Thread(target=self._work, name=f"doxa {self.model}", daemon=True)
        self._thread.start()
        atexit.register(self._stop)  # an interpreter that ends while the worker is inside torch would abort

    # -- callers' side -------------------------------------------------------------------------------------------

    async def ask(self, job: Job) -> Any:
        """The answer to a job; equal jobs under way are one."""
        job, waiter = self._submit(job)
        try:
            return await waiter
        finally:
            job.leave(waiter)

    def _submit(self, job: Job) -> tuple[Job, asyncio.Future[Any]]:
        with self._changed:
            if self._closing:
                raise DoxaError(f"{self.model} is closed", hint="load the model again")
            known = self._jobs.get(job.key)
            waiter = known.join() if known else None
            if known and waiter:
                return known, waiter
            waiter = job.join()
            assert waiter is not None, "a new job is open"
            self._jobs[job.key] = job
            self._inbox.append(job)
            self._changed.notify()
            return job, waiter

    async def close(self) -> None:
        """Stop the worker; whoever still waits gets an error."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        atexit.unregister(self._stop)

    # -- worker's side -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        torch.set_num_threads(self.threads)
        try:
            while self._next():
                try:
                    self._turn()
                except Exception as cause:  # whatever it is, nobody may wait for ever
                    self._fail(self._failed(cause))
                    self._reset()
        finally:
            self._closing = True
            self._fail(DoxaError(f"{self.model} was closed while it was answering", hint="await the answers first"))

    def _next(self) -> bool:
        """Wait until there is something to do; False when it is time to go."""
        with self._changed:
            idle = not (self._table.rows or self._prompts or self._trees)
            if idle:
                self._changed.wait_for(lambda: self._inbox or self._closing)
        if idle and not self._closing:
            time.sleep(LINGER)
        with self._changed:
            self._jobs = {key: job for key, job in self._jobs.items() if not job.abandoned()}
            self._arrived, self._inbox = self._inbox, []
            return not self._closing

    def _fail(self, error: DoxaError) -> None:
        with self._changed:
            jobs, self._jobs, self._inbox, self._arrived = list(self._jobs.values()), {}, [], []
        for job in jobs:
            job.finish(error=error)

    def _failed(self, cause: Exception) -> DoxaError:
        if isinstance(cause, DoxaError):
            return DoxaError(f"{self.model} failed: {cause}", hint=cause.hint)
        hint = "lower token_budget" if "memory" in str(cause) else "this is a bug of doxa: please report it"
        error = DoxaError(f"{self.model} failed: {type(cause).__name__}: {cause}", hint=hint)
        error.__cause__ = cause
        return error

    def _reset(self) -> None:
        like = self.network.model.get_input_embeddings().weight
        shapes, aside = self.network.shapes, self.budget // 4
        prefixes = Prefixes(shapes, self.budget - aside, like)
        self._table = Table(shapes, self.budget, like, prefixes)
        self._bench = Table(shapes, aside, like, prefixes)  # trees leave at once: no row has to make room or move
        self._prompts: OrderedDict[tuple[int, ...], Row] = OrderedDict()
        self._trees: dict[tuple[int, ...], Tree] = {}
        self._shown: dict[tuple[tuple[int, ...], ...], Tree] = {}

    def _turn(self) -> None:
        for job in self._arrived:
            self._accept(job)
        for layers, prompt in list(self._shown):
            self._show(layers, prompt)
        self._drop_abandoned()
        self._admit(self._trees, self._bench, self._score)
        self._admit(self._prompts, self._table, self._start)
        if self._table.rows:
            spans = [Span(row.tokens[-1:], len(row.tokens) - 1) for row in self._table.rows]
            self._advance(0, self._forward(self._table, spans, 0)[:, 0])

    def _accept(self, job: Job) -> None:
        """Turn a request into token ids and queue it with those that share them."""
        try:
            prompt = self.template.prompt(job.request)
            ids = [] if job.request.continuation is None else self.template.continuation(job.request)
        except Exception as error:  # templates are programs of third parties and may refuse a conversation
            return self._refuse(job, Failure("template", f"the chat template refused the messages: {error}"))
        room = self.network.context - len(prompt) - (len(ids) or job.kind == "generate")
        if room < 0 or not prompt:
            text = f"the prompt has {len(prompt)} tokens, the model's context {self.network.context}"
            return self._refuse(job, Failure("context_length", text))
        if job.kind == "hidden":
            tree = self._shown.setdefault((job.layers, tuple(prompt)), Tree(prompt))
            tree.add(job, ids)
            return self._show(job.layers, tuple(prompt)) if tree.need > PASS else None
        if job.kind == "score" and not ids:
            return job.finish(Reply("", (), "stop", self.model, Usage(1, len(prompt), 0)))
        if job.kind == "score":
            tree = self._trees.setdefault(tuple(prompt), Tree(prompt))
            tree.add(job, ids)
            return self._score_now(tuple(prompt)) if len(tree.ids) >= POSITIONS else None
        answers = Answers(job, prompt, min(job.request.max_tokens, room + 1), self.model)
        stops, lead = (*job.request.stop, *self.template.stops), self.template.lead(job.request)
        streams = [Stream(answers, i, Text(self.template.decode, stops, lead)) for i in range(job.request.n)]
        self._queue(Row(prompt, streams))
        return None

    def _show(self, layers: tuple[int, ...], prompt: tuple[int, ...]) -> None:
        """Compute hidden states of a prompt and of all that is said after it in one pass."""
        tree = self._shown.pop((layers, prompt))
        tree.show(self.network.hidden(tree.span(0), layers))

    def _score_now(self, prompt: tuple[int, ...]) -> None:
        """Compute a tree that has grown as large as one may be; further continuations find its prompt done."""
        ((_, tree),) = self._choose({prompt: self._trees.pop(prompt)}, self._bench)
        self._score([tree])

    def _refuse(self, job: Job, failure: Failure) -> None:
        if job.kind == "hidden":
            job.finish(error=Unavailable(failure.message))
        else:
            job.finish([failure] * job.request.n if job.kind == "generate" else failure)

    def _queue(self, row: Row) -> None:
        waiting = self._prompts.setdefault(tuple(row.tokens), row)
        if waiting is not row:
            waiting.streams.extend(row.streams)

    def _drop_abandoned(self) -> None:
        for row in [*self._table.rows, *self._prompts.values()]:
            row.streams = [s for s in row.streams if not s.answers.job.abandoned()]
        self._prompts = OrderedDict((key, row) for key, row in self._prompts.items() if row.streams)
        self._table.settle([i for i, row in enumerate(self._table.rows) if not row.streams], [])

    # -- admission -----------------------------------------------------------------------------------------------

    def _admit(self, queue: dict[tuple[int, ...], Any], table: Table, run: Callable[[list[Any]], None]) -> None:
        """Run everything in the queue that finds room, in passes of similar length."""
        ready = min(len(queue), table.room)
        if len(self._table.rows) >= BUSY and ready < COMPANY and table.held < PATIENCE:
            table.held += ready > 0
            return
        table.held = 0
        while batch := self._choose(queue, table):
            table.reserved = len(batch)
            for items in _passes(batch):
                table.reserved -= len(items)
                run(items)

    def _choose(self, queue: dict[tuple[int, ...], Any], table: Table) -> list[tuple[int, Any]]:
        """Take from the queue what fits, first come first served, with the number of tokens each must compute.

        Of those that would compute the same stretch of a prefix only the first goes: the others find it done.
        """
        width = 0
        batch: list[tuple[int, Any]] = []
        claimed = set()
        for key, item in list(queue.items()):
            wide = table.fit(width, item.need, len(batch))
            if wide is None:
                break
            past = len(table.prefixes.match(key))
            stretch = key[: past + AHEAD]
            if stretch in claimed:
                continue
            if len(key) > past + AHEAD:
                claimed.add(stretch)
            width = wide
            batch.append((item.need - past if isinstance(item, Tree) else len(key) - past, queue.pop(key)))
        if batch:
            table.reshape(width)
        return batch

    def _forward(self, table: Table, spans: list[Span], first: int, keep: int = 1) -> torch.Tensor:
        counts = self.network.counts
        counts.peak_rows = max(counts.peak_rows, first + len(spans))
        return self.network.forward(spans, table.store, table.width, first, keep)

    def _start(self, rows: list[Row]) -> None:
        """Compute prompts and draw the first tokens."""
        first = len(self._table.rows)
        spans = [Span(r.tokens[past:], past) for r, past in zip(rows, self._table.recall(rows), strict=True)]
        logits = self._forward(self._table, spans, first)
        self.network.counts.prompt_tokens += sum(len(span.ids) for span in spans)
        self._table.keep((slot, row.tokens) for slot, row in enumerate(rows, start=first))
        self._table.rows += rows
        self._advance(first, logits[:, 0])

    def _score(self, trees: list[Tree]) -> None:
        """Compute prompts and all their continuations in one pass."""
        spans = [tree.span(past) for tree, past in zip(trees, self._bench.recall(trees), strict=True)]
        keep = 1 + max(len(tree.ids) for tree in trees)
        logits = self._forward(self._bench, spans, 0, keep)
        self.network.counts.prompt_tokens += sum(len(span.ids) for span in spans)
        self._bench.keep((slot, tree.tokens) for slot, tree in enumerate(trees))
        for i, tree in enumerate(trees):
            tree.finish(logits[i, keep - 1 - len(tree.ids) :], self.template, self.model)

    # -- generation ----------------------------------------------------------------------------------------------

    def _advance(self, first: int, logits: torch.Tensor) -> None:
        """Draw the next token of every answer in the rows from `first` on; rows split where answers differ.

        An answer that goes on elsewhere, because its row found no room or another trial has won, waits before all new
        ones.
        """
        rows = self._table.rows[first:]
        self.network.counts.rows += len(rows)
        dead: list[int] = []
        splits: list[tuple[int, Row]] = []
        waiting: list[Row] = []
        for slot, (row, drawn) in enumerate(zip(rows, draw(logits, rows, self.template), strict=True), start=first):
            groups: dict[int, list[Stream]] = {}
            for stream, id_, token in drawn:
                onward = stream.push(id_, token, self.ends)
                if onward is stream:
                    groups.setdefault(id_, []).append(stream)
                elif onward:
                    waiting.append(Row(onward.tokens, [onward]))
            if not groups:
                dead.append(slot)
                continue
            said = row.tokens
            branches = [Row([*said, id_], streams) for id_, streams in groups.items()]
            self._table.rows[slot] = branches[0]
            splits += [(slot, branch) for branch in branches[1:]]
        self._table.keep((slot, self._table.rows[slot].tokens) for slot in dead)
        waiting += self._table.settle(dead, splits)
        for row in waiting:
            self._queue(row)
            self._prompts.move_to_end(tuple(row.tokens), last=False)  # what is known of it will not stay known for long


def _passes(batch: list[tuple[int, Any]]) -> Iterable[list[Any]]:
    """Group items by length so that padding stays small."""
    group: list[Any] = []
    longest = waste = 0
    for cost, item in sorted(batch, key=lambda pair: -pair[0]):
        longest = longest if group else cost
        waste += longest - cost
        positions = (len(group) + 1) * (1 + len(item.ids)) if isinstance(item, Tree) else 0
        if group and (waste > WASTE or (len(group) + 1) * longest > PASS or positions > POSITIONS):
            yield group
            group, longest, waste = [], cost, 0
        group.append(item)
    if group:
        yield group
