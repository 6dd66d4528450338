"""A file of recorded replies becomes a model: `replay/FILE`."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec

from doxa.errors import DataError
from doxa.inquiry import sample_number
from doxa.recordings import Recording, recordings, split
from doxa.types import Capabilities, Failure, Message, Outcome, Reply, Request, Token, Usage

_Log = Annotated[float, msgspec.Meta(le=0)]


class _Token(msgspec.Struct):
    text: str
    logprob: _Log | None = None
    top: list[tuple[str, _Log]] = []
    stats: dict[str, float] = {}


class _Sample(msgspec.Struct):
    text: str
    tokens: list[_Token] | None = None
    finish: str = "stop"
    seed: int | None = None


class _Turn(msgspec.Struct):
    role: str
    content: str


class _Line(msgspec.Struct):
    messages: list[_Turn] = []
    prompt: str | None = None
    prefill: str = ""
    reply: str | None = None
    tokens: list[_Token] | None = None
    finish: str = "stop"
    samples: list[str | _Sample] = []
    continuation: str | None = None
    temperature: float = 0.0
    seed: int | None = None
    model: str = ""


_Prompt = tuple[tuple[Message, ...], str]


@dataclass
class _Recorded:
    """What the file holds for one prompt."""

    greedy: Reply | None = None
    samples: list[Reply] = field(default_factory=list)
    by_seed: dict[int, Reply] = field(default_factory=dict)
    scored: dict[str, Reply] = field(default_factory=dict)


@dataclass(eq=False)
class Replay:
    """Replies recorded elsewhere, one JSON object per line, served to requests with the very same messages.

    | field | meaning |
    |---|---|
    | `prompt` or `messages` | one user message, or `[{"role": …, "content": …}, …]`; required, exactly one of them |
    | `reply` | the answer at temperature 0; a sample if the line's `temperature` is above 0 |
    | `samples` | further answers: texts, or `{"text": …, "tokens": …, "finish": …, "seed": …}` |
    | `tokens` | of the reply: `[{"text": …, "logprob": …, "top": [["Paris", -0.1], …], "stats": {…}}, …]` |
    | `continuation` | instead of a reply: the answer whose `tokens` were scored |
    | `finish`, `prefill`, `seed`, `model` | how the reply ended, its started answer, its seed, who gave it |

    Lines with the same messages add up. Requests at temperature 0 get `reply`. Others get the sample recorded with
    their seed, else, of those recorded without, the one whose number the seed carries (`inquiry.sample_number`; without
    a seed, the first). What was never recorded is a `Failure("not_recorded")`; lengths, stops and other settings of a
    request are not compared. A path `lm_eval:FILE` (or another reader of the room `recordings`) is another tool's log.
    Raises `DataError` naming file, line and field.
    """

    path: str | Path
    name: str = field(init=False)
    base_url: str = field(init=False, default="")
    fingerprint: str = field(init=False)
    capabilities: Capabilities = field(init=False)
    _recorded: dict[_Prompt, _Recorded] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file."""
        address = split(str(self.path))
        self.path = Path(address[1] if address else self.path)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {self.path}: {error.strerror}", hint="give a .jsonl file") from error
        self.name = self.path.stem
        self.fingerprint = f"replay:{hashlib.blake2b(data, digest_size=16).hexdigest()}"
        if address:
            for one in recordings(":".join(address)):
                self._take(one)
        else:
            for number, line in enumerate(data.removeprefix(BOM_UTF8).splitlines(), start=1):
                if line.strip():
                    self._record(line, f"{self.path}, line {number}")
        if not self._recorded:
            raise DataError(f"{self.path} holds no replies", hint="one JSON object per line, with prompt and reply")
        prefill = any(started for _, started in self._recorded)
        self.capabilities = _capabilities(self._recorded.values(), prefill)

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Look up each request's replies."""
        return [[self._answer(request, index) for index in range(request.n)] for request in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Look up the tokens of each request's continuation."""
        return [
            self._of(request).scored.get(request.continuation or "")
            or _missing(request, f"no tokens of {request.continuation!r}")
            for request in requests
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def _of(self, request: Request) -> _Recorded:
        return self._recorded.get((request.messages, request.prefill)) or _Recorded()

    def _answer(self, request: Request, index: int) -> Outcome:
        """The recorded reply for choice `index` of a request."""
        if request.decoding:
            return Failure("unsupported", f"a recording has no decoding {request.decoding!r}")
        recorded = self._of(request)
        if request.temperature == 0:
            return recorded.greedy or _missing(request, "no reply")
        seed = 0 if request.seed is None else request.seed
        if index == 0 and seed in recorded.by_seed:
            return recorded.by_seed[seed]
        number = sample_number(seed) + index
        if number < len(recorded.samples):
            return recorded.samples[number]
        there = len(recorded.samples)
        take = f"; --samples {there} takes those" if there > 1 else ""
        return Failure("not_recorded", f"no sample {number + 1} recorded: there are {there or 'none'}{take}")

    def _take(self, one: Recording) -> None:
        """Add one recording of another tool; of several replies to the same messages the later ones are samples."""
        recorded = self._recorded.setdefault((one.question.messages, ""), _Recorded())
        said = [] if one.reply is None else [Reply(one.reply, one.tokens, usage=Usage(1, None, None))]
        if said and recorded.greedy is None:
            recorded.greedy = said.pop()
        recorded.samples += [*said, *(Reply(text, usage=Usage(1, None, None)) for text in one.samples)]

    def _record(self, line: bytes, place: str) -> None:
        """Add one line of the file."""
        entry = _parse(line, place)
        turns = entry.messages or [_Turn("user", entry.prompt or "")]
        key = (tuple(Message(turn.role, turn.content) for turn in turns), entry.prefill)
        recorded = self._recorded.setdefault(key, _Recorded())
        if entry.continuation is not None:
            scored = _Sample(entry.continuation, entry.tokens, entry.finish)
            recorded.scored[entry.continuation] = _reply(scored, entry.model)
            return
        samples = [_Sample(text=one) if isinstance(one, str) else one for one in entry.samples]
        if entry.reply is not None:
            own = _Sample(entry.reply, entry.tokens, entry.finish, entry.seed)
            if entry.temperature > 0:
                samples.insert(0, own)
            elif recorded.greedy not in (None, _reply(own, entry.model)):
                raise DataError(
                    f"{place}: another reply to the same messages", hint="give a sampled one its temperature"
                )
            else:
                recorded.greedy = _reply(own, entry.model)
        for sample in samples:
            if sample.seed is None:
                recorded.samples.append(_reply(sample, entry.model))
            else:
                recorded.by_seed[sample.seed] = _reply(sample, entry.model)


def _parse(line: bytes, place: str) -> _Line:
    """One line's fields, checked. Raises `DataError`."""
    try:
        entry = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{place}: {error}", hint="one JSON object per line; fields as in help(Replay)") from error
    if (entry.prompt is None) == (not entry.messages):
        raise DataError(f"{place}: needs either prompt or messages", hint='{"prompt": "…", "reply": "…"}')
    if entry.continuation is not None and not entry.tokens:
        raise DataError(f"{place}: continuation without tokens", hint="add the tokens that were scored")
    if entry.continuation is None and entry.reply is None and not entry.samples:
        raise DataError(f"{place}: has neither reply, samples nor continuation", hint="add what the model said")
    return entry


def _reply(sample: _Sample, model: str) -> Reply:
    """A recorded answer; what it once cost is unknown."""
    tokens = None if sample.tokens is None else tuple(_token(token) for token in sample.tokens)
    return Reply(sample.text, tokens, sample.finish, model, Usage(1, None, None))


def _token(token: _Token) -> Token:
    return Token(token.text, token.logprob, tuple(sorted(token.top, key=lambda one: -one[1])), token.stats)


def _missing(request: Request, what: str) -> Failure:
    start = " ".join(request.messages[-1].content.split())[:60] if request.messages else ""
    return Failure("not_recorded", f"{what} recorded for {start!r}")


def _capabilities(recorded: Iterable[_Recorded], prefill: bool) -> Capabilities:
    """What some line of the file offers."""
    lines = list(recorded)
    replies = [r for one in lines for r in (one.greedy, *one.samples, *one.by_seed.values()) if r is not None]
    tokens = [token for reply in replies for token in reply.tokens or ()]
    return Capabilities(
        logprobs=any(token.logprob is not None for token in tokens),
        top_logprobs=max((len(token.top) for token in tokens), default=0),
        statistics=tuple(sorted({name for token in tokens for name in token.stats})),
        score=any(one.scored for one in lines),
        prefill=prefill,
        seed=any(one.by_seed for one in lines),
        n=True,
    )
