"""What is being computed: answers, rows that carry them, and trees of continuations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from doxa.models.engine import cautious, sampling, statistics
from doxa.models.engine.jobs import Job
from doxa.models.engine.network import Span
from doxa.models.engine.templates import Template
from doxa.models.engine.text import Text
from doxa.types import Outcome, Reply, Request, Token, Usage

ROWS = 16
"""Rows whose distributions are reduced at a time: as many as a core's cache holds."""


@dataclass(eq=False)
class Answers:
    """The `n` answers to one request, collected as they finish."""

    job: Job
    prompt: list[int]
    limit: int
    model: str
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def add(self, done: Stream) -> None:
        """Keep one answer; the last one completes the job."""
        request = self.job.request
        tokens = tuple(done.text.tokens) if _detailed(request) else None
        usage = Usage(1, len(self.prompt), done.count + done.rejected)
        self.outcomes[done.sample] = Reply(done.text.text, tokens, done.finish, self.model, usage)
        if len(self.outcomes) == request.n:
            self.job.finish([self.outcomes[i] for i in range(request.n)])


@dataclass(eq=False)
class Stream:
    """One answer in the making, or one trial of it.

    Sample i of n draws from the stream of seed + i, as a request of its own would.
    """

    answers: Answers
    sample: int
    text: Text
    count: int = 0
    rejected: int = 0
    """Tokens of the trials that lost."""
    finish: str = ""
    trial: cautious.Trial | None = None

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.answers.job.request

    @property
    def draw(self) -> tuple[int, int]:
        """Seed and step: they name the random numbers that decide the next token."""
        step = self.trial.step(self.count) if self.trial else self.count
        return (self.request.seed or 0) + self.sample, step

    @property
    def tokens(self) -> list[int]:
        """The prompt and what has been said."""
        return [*self.answers.prompt, *self.text.ids]

    def fork(self, entropy: float) -> list[Stream]:
        """The trials that take the place of an answer whose next token is that unsure; itself if there are none."""
        count = 1 if self.trial else cautious.trials(entropy)
        if count == 1:
            return [self]
        rivals: list[Stream] = []
        for number in range(1, count + 1):
            trial = cautious.Trial(number, self.count, rivals)
            rivals.append(replace(self, text=self.text.copy(), trial=trial))
        return rivals

    def push(self, id_: int, token: Token, ends: Collection[int]) -> Stream | None:
        """Take the next token; what goes on: this stream, or the trial that has won by now, or nothing."""
        self.count += 1
        if id_ in ends:
            self.text.close()
            self.finish = "stop"
        elif self.text.push(id_, token):
            self.finish = "stop"
        elif self.count >= self.answers.limit:
            self.text.close()
            self.finish = "length"
        onward = self._decide(self.trial, id_) if self.trial else self
        if onward and onward.finish:
            self.answers.add(onward)
            return None
        return onward

    def _decide(self, trial: cautious.Trial, id_: int) -> Stream | None:
        trial.ended = bool(self.finish) or self.text.decode([id_]) in cautious.MARKS
        return trial.winner() if trial.ended else self


@dataclass(eq=False)
class Row:
    """Token ids and every answer that starts with them: computed once, whoever shares them."""

    tokens: list[int]
    streams: list[Stream]

    @property
    def need(self) -> int:
        """Places the row may come to fill."""
        return max(len(s.answers.prompt) + s.answers.limit for s in self.streams)


@dataclass(eq=False)
class Tree:
    """A prompt and the continuations to be scored after it; what they have in common is one branch."""

    tokens: list[int]
    options: list[tuple[Job, list[int], list[int]]] = field(default_factory=list)
    """Job, token ids, and the node of each token."""
    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    """Per node: the node before it; -1 is the prompt's last token."""
    _nodes: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def need(self) -> int:
        """Places the row fills."""
        return len(self.tokens) + len(self.ids)

    def add(self, job: Job, ids: list[int]) -> None:
        """Grow the branch of one continuation."""
        node, path = -1, []
        for id_ in ids:
            key = (node, id_)
            if key not in self._nodes:
                self._nodes[key] = len(self.ids)
                self.ids.append(id_)
                self.parents.append(node)
            node = self._nodes[key]
            path.append(node)
        self.options.append((job, ids, path))

    def span(self, past: int) -> Span:
        """The pass that scores all continuations after the first `past` tokens of the prompt."""
        trunk = self.tokens[past:]
        return Span([*trunk, *self.ids], past, [len(trunk) + parent for parent in self.parents])

    def finish(self, logits: torch.Tensor, template: Template, model: str) -> None:
        """Answer every job from the logits (1 + nodes, vocabulary) after the prompt and after each node."""
        for job, ids, path in self.options:
            before = torch.tensor([self.parents[node] + 1 for node in path], device=logits.device)
            tokens = details(
                logits.index_select(0, before), [(i, id_, job.request) for i, id_ in enumerate(ids)], template
            )
            text = Text(template.decode, (), template.lead(job.request))
            for id_, token in zip(ids, tokens, strict=True):
                text.push(id_, token)
            text.close()
            usage = Usage(1, len(self.tokens) + len(ids), 0)
            job.finish(Reply(text.text, tuple(text.tokens), "stop", model, usage))

    def show(self, states: NDArray[np.float32]) -> None:
        """Answer every job from the states (layers, prompt and nodes, dim): those of the prompt and of its own path."""
        trunk = len(self.tokens)
        for job, _, path in self.options:
            job.finish(states[:, [*range(trunk), *(trunk + node for node in path)]])


def draw(logits: torch.Tensor, rows: Sequence[Row], template: Template) -> list[list[tuple[Stream, int, Token]]]:
    """The next token of every stream: the rows' distributions are computed once, each stream draws its own.

    Where a cautious answer is unsure, its trials draw in its place.
    """
    said: list[list[tuple[Stream, int, Token]]] = []
    for start in range(0, len(rows), ROWS):
        said += _draw(logits[start : start + ROWS], rows[start : start + ROWS], template)
    return said


def _draw(logits: torch.Tensor, rows: Sequence[Row], template: Template) -> list[list[tuple[Stream, int, Token]]]:
    kinds: dict[tuple[float, float, str | None], list[tuple[int, Stream]]] = {}
    for i, row in enumerate(rows):
        for stream in row.streams:
            request = stream.request
            kinds.setdefault((request.temperature, request.top_p, request.decoding), []).append((i, stream))
    chosen: list[tuple[int, Stream, int]] = []
    for (temperature, top_p, decoding), members in kinds.items():
        used = sorted({i for i, _ in members})
        some, place = _rows(logits, used), {i: k for k, i in enumerate(used)}
        if temperature == 0:
            best = some.argmax(-1).tolist()
            chosen += [(i, stream, best[place[i]]) for i, stream in members]
            continue
        p = sampling.probabilities(some, temperature, top_p)
        sample = _sample if decoding is None else _sample_cautiously
        drawn = sample(p, [(place[i], stream) for i, stream in members])
        chosen += [(used[k], stream, id_) for k, stream, id_ in drawn]
    tokens = details(logits, [(i, id_, stream.request) for i, stream, id_ in chosen], template)
    said: list[list[tuple[Stream, int, Token]]] = [[] for _ in rows]
    for (i, stream, id_), token in zip(chosen, tokens, strict=True):
        said[i].append((stream, id_, token))
    return said


def _sample(p: torch.Tensor, members: Sequence[tuple[int, Stream]]) -> list[tuple[int, Stream, int]]:
    """A token for each (row of `p`, stream)."""
    ids = sampling.pick(p, [(k, *stream.draw) for k, stream in members])
    return [(k, stream, id_) for (k, stream), id_ in zip(members, ids, strict=True)]


def _sample_cautiously(p: torch.Tensor, members: Sequence[tuple[int, Stream]]) -> list[tuple[int, Stream, int]]:
    """A token for each (row of `p`, stream) that is sure or on trial, and for each trial of the others."""
    p = p / p.sum(-1, keepdim=True)
    entropies = cautious.entropies(p).tolist()
    chosen = _sample(p, [(k, each) for k, stream in members for each in stream.fork(entropies[k])])
    logp = p[[k for k, _, _ in chosen], [id_ for _, _, id_ in chosen]].log().tolist()
    for (_, stream, _), value in zip(chosen, logp, strict=True):
        if stream.trial:
            stream.trial.loss -= value
    return chosen


def details(logits: torch.Tensor, wanted: Sequence[tuple[int, int, Request]], template: Template) -> list[Token]:
    """Log-probability, alternatives and statistics of the chosen ids, for each (row, id, request) that asks."""
    asked = [w for w in wanted if _detailed(w[2])]
    if not asked:
        return [Token("")] * len(wanted)
    used = sorted({row for row, _, _ in asked})
    local = {row: k for k, row in enumerate(used)}
    some = _rows(logits, used)
    logp = torch.log_softmax(some, -1)
    index = torch.tensor([[local[row], id_] for row, id_, _ in asked], device=logp.device)
    logprobs = iter(logp[index[:, 0], index[:, 1]].tolist())
    tops = _tops(logp, sorted({local[row] for row, _, r in asked if r.top_logprobs}), asked, template)
    measured = sorted({local[row] for row, _, r in asked if r.statistics})
    names = sorted({name for _, _, r in asked for name in r.statistics})
    stats = statistics.reduce(names, _rows(some, measured), _rows(logp, measured)) if measured else {}
    line = {k: i for i, k in enumerate(measured)}

    def token(row: int, request: Request) -> Token:
        k = local[row]
        top = tops[k][: request.top_logprobs] if request.top_logprobs else ()
        return Token("", next(logprobs), top, {name: stats[name][line[k]] for name in request.statistics})

    return [token(row, request) if _detailed(request) else Token("") for row, _, request in wanted]


def _tops(
    logp: torch.Tensor, rows: Sequence[int], asked: Sequence[tuple[int, int, Request]], template: Template
) -> dict[int, tuple[tuple[str, float], ...]]:
    """The likeliest tokens of the given rows, as many as anybody asks for."""
    if not rows:
        return {}
    deepest = min(max(request.top_logprobs or 0 for _, _, request in asked), logp.shape[-1])
    values, ids = (t.tolist() for t in _rows(logp, rows).topk(deepest, -1))
    pairs = zip(rows, ids, values, strict=True)
    return {row: tuple((template.piece(i), v) for i, v in zip(*each, strict=True)) for row, *each in pairs}


def _detailed(request: Request) -> bool:
    return request.top_logprobs is not None or bool(request.statistics) or request.continuation is not None


def _rows(logits: torch.Tensor, used: Sequence[int]) -> torch.Tensor:
    if len(used) == len(logits):
        return logits
    return logits.index_select(0, torch.tensor(used, device=logits.device))
