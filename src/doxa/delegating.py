"""A prompt in chunks, what is known of each, and what is done when some of them may leave this machine: `delegate`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from doxa import prompts
from doxa.errors import UsageError
from doxa.inquiry import Inquiry
from doxa.policies.privacypad import ALREADY, PRIVATE
from doxa.prompts import delegating
from doxa.text.pii import KINDS, PII, Found
from doxa.types import Act, Case, Policy, Question, Reply, Usage

if TYPE_CHECKING:
    from doxa.policies.maths.policy_gradient import Chunks

REMOTE = "remote"
"""The role of the model that chunks are sent to; the one on this machine is the subject."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_MARK = re.compile(rf"\[?\b((?:{'|'.join(KINDS)})_\d+)\b\]?")
_WORD = re.compile(r"[^\W\d_]{4,}")
_PART = re.compile(
    r"\b(?:first|last|begins?|ends?|digits?|letters?|initials?|year|month|age|old|older|code|domain|before|after)\b",
    re.IGNORECASE,
)
"""Words of a question that wants a part of something, or something that follows from it."""
NAMES = (
    PRIVATE, *(f"{PRIVATE}_{kind.lower()}" for kind in KINDS),
    "length", "position", "overlap", "closest", "closest_private", "closest_private_part",
)  # fmt: skip
"""What is known of a chunk before anything is done."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question, the chunks that it is about, and the private data in both."""

    question: str
    """As a model is asked it, with its options and how to reply."""
    chunks: tuple[str, ...]
    found: tuple[tuple[Found, ...], ...]
    """For each chunk."""
    asked: tuple[Found, ...]
    """In the question."""
    wants_part: bool

    @property
    def units(self) -> tuple[str, ...]:
        """The different pieces of private data, in the order of their first places."""
        return tuple(dict.fromkeys(each.unit for some in (*self.found, self.asked) for each in some))

    def leaked(self, acts: Sequence[Act]) -> frozenset[str]:
        """The pieces in a chunk that is sent as it is."""
        sent = (some for some, act in zip(self.found, acts, strict=True) if act == "escalate")
        return frozenset(each.unit for some in sent for each in some)

    def leakage(self, acts: Sequence[Act]) -> float:
        """The share of the pieces that is leaked, each counted once; 0 where there are none."""
        return len(self.leaked(acts)) / max(len(self.units), 1)

    def sent(self, acts: Sequence[Act]) -> tuple[list[str], str]:
        """The chunks and the question as they leave: all that is not leaked anyway has a mark in its place."""
        leaked, marks = self.leaked(acts), self._marks()
        chosen = ((text, some) for text, some, act in zip(self.chunks, self.found, acts, strict=True) if _goes(act))
        lines = [_marked(text, some, marks, leaked) for text, some in chosen]
        return lines, _marked(self.question, self.asked, marks, leaked)

    def restored(self, reply: str) -> str:
        """A reply with what its marks stand for, as it is written first."""
        texts = (*self.chunks, self.question)
        first: dict[str, str] = {}
        marks = self._marks()
        for text, some in zip(texts, (*self.found, self.asked), strict=True):
            for each in some:
                first.setdefault(marks[each.unit], text[each.start : each.end])
        return _MARK.sub(lambda match: first.get(f"[{match[1]}]", match[0]), reply)

    def _marks(self) -> dict[str, str]:
        """For each piece its mark: its kind and its number among those of the kind."""
        marks: dict[str, str] = {}
        for unit in self.units:
            kind = unit.partition(" ")[0]
            marks[unit] = f"[{kind}_{1 + sum(mark.startswith(f'[{kind}_') for mark in marks.values())}]"
        return marks


def prompt_of(question: Question, pii: PII) -> Prompt:
    """The prompt of a question with a context, a chunk a line, or a sentence where there is but one line.

    Raises `UsageError` for a question without context.
    """
    lines = [line.strip() for line in (question.context or "").splitlines() if line.strip()]
    chunks = tuple(lines if len(lines) != 1 else _SENTENCE.split(lines[0]))
    if not chunks or question.messages:
        hint = "the column context holds the text that the question is about, a chunk a line"
        raise UsageError(f"question {question.id} has no context to send or keep", hint=hint)
    text = prompts.render(replace(question, context=None))[-1].content
    part = question.kind == "number" or _PART.search(question.text) is not None
    return Prompt(text, chunks, tuple(tuple(pii.find(each)) for each in chunks), tuple(pii.find(text)), part)


def details(prompt: Prompt) -> list[dict[str, float]]:
    """For each chunk what is known of it, by `NAMES`.

    The pieces of private data in it, of all kinds and of each; its share of the prompt's characters; its place from 0
    to 1; the share of the question's words of four letters and more that are in it; whether none has more of them,
    whether it then has private data, and whether the question wants but a part of such (it asks for a number, or says
    so: the last digits, the year).
    """
    wanted = _words(prompt.question)
    overlaps = [len(wanted & _words(chunk)) / max(len(wanted), 1) for chunk in prompt.chunks]
    total, last = sum(map(len, prompt.chunks)), max(len(prompt.chunks) - 1, 1)
    known = []
    for place, (chunk, some, overlap) in enumerate(zip(prompt.chunks, prompt.found, overlaps, strict=True)):
        units = {each.unit: each.kind for each in some}
        closest = 0 < overlap == max(overlaps)
        kinds = [sum(kind == other for other in units.values()) for kind in KINDS]
        asked = [closest, closest and bool(units), closest and bool(units) and prompt.wants_part]
        values = [len(units), *kinds, len(chunk) / total, place / last, overlap, *asked]
        known.append(dict(zip(NAMES, map(float, values), strict=True)))
    return known


def chunks_of(prompt: Prompt) -> Chunks:
    """The prompt as the policy gradient sees it."""
    import numpy as np

    from doxa.policies.maths.policy_gradient import Chunks

    known = np.array([list(each.values()) for each in details(prompt)])
    held = [[unit in {each.unit for each in some} for unit in prompt.units] for some in prompt.found]
    return Chunks(known, np.array(held, dtype=bool).reshape(len(prompt.chunks), len(prompt.units)))


def decide_all(policy: Policy, prompt: Prompt) -> tuple[Act, ...]:
    """The policy's decision on each chunk in turn, which knows what was sent before."""
    acts: list[Act] = []
    sent: set[str] = set()
    for known, some in zip(details(prompt), prompt.found, strict=True):
        units = {each.unit for each in some}
        already = {ALREADY: len(units & sent) / max(len(units), 1)}
        acts.append(policy.decide(Case(None, details={**known, **already})).act)
        sent |= units if acts[-1] == "escalate" else set()
    return tuple(acts)


# -- doing -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delegated:
    """An answer that two models gave between them."""

    reply: Reply
    by: str
    """The role of the one whose answer it is."""
    leakage: float
    usage: Mapping[str, Usage] = field(default_factory=dict)
    """By role."""


async def delegate(prompt: Prompt, acts: Sequence[Act], inquiry: Inquiry) -> Delegated:
    """Ask the remote model what may leave, and where that is too little the one on this machine, which sees everything.

    A chunk is kept (`keep_local`), sent with marks in place of private data (`mask`) or sent as it is (`escalate`).
    Marks in the remote answer are replaced here. The question goes with the chunks, with marks for what no sent chunk
    holds; where all chunks are kept, nothing goes. Raises `UsageError` for other acts, `Unavailable` as the asks do.
    """
    for act in acts:
        if act not in ("keep_local", "mask", "escalate"):
            raise UsageError(f"nobody does {act!r} with a chunk", hint="there are: keep_local, mask, escalate")
    view, temperature = inquiry.for_estimator(), inquiry.asking.temperature
    lines, question = prompt.sent(acts)
    reply, by = None, REMOTE
    if lines:
        reply = await view.ask(delegating.part(lines, question), role=REMOTE, temperature=temperature)
    if reply is None or delegating.is_unknown(reply.text):
        by = "subject"
        reply = await view.ask(delegating.whole(prompt.chunks, prompt.question), temperature=temperature)
    bill = [(ask[0], cost) for ask, cost in view.bill.items() if isinstance(ask, tuple)]
    usage = {role: sum((cost for asked, cost in bill if asked == role), Usage()) for role in ("subject", REMOTE)}
    text = prompt.restored(reply.text) if by == REMOTE else reply.text
    return Delegated(replace(reply, text=text), by, prompt.leakage(acts), usage)


def _goes(act: Act) -> bool:
    """Whether a chunk leaves this machine, as it is or with marks."""
    return act in ("mask", "escalate")


def _marked(text: str, some: Iterable[Found], marks: Mapping[str, str], leaked: frozenset[str]) -> str:
    """A text with marks for its private data but for what is leaked."""
    for each in sorted(some, key=lambda one: -one.start):
        if each.unit not in leaked:
            text = text[: each.start] + marks[each.unit] + text[each.end :]
    return text


def _words(text: str) -> set[str]:
    """The words of four letters and more."""
    return {word.casefold() for word in _WORD.findall(text)}
