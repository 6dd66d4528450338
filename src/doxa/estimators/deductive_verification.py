"""Deductive verification: chains that name what each step rests on, so that each step can be checked alone."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from doxa.errors import UsageError
from doxa.estimators.chains import read_chain
from doxa.estimators.meaning.services import shortest
from doxa.estimators.reading import check_samples, prefill
from doxa.inquiry import Inquiry
from doxa.prompts import deduction
from doxa.text import canonical, yes_no
from doxa.types import Access, Confidence, Scale

_LINE = re.compile(r"^[#\s]*(\d{1,3})\s*[.:)](.*)$")
_USES = re.compile(r"\((?:from|by|using)\b([^()]*\d[^()]*)\)", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,3})(?:\s*[-–]\s*#?(\d{1,3}))?")
_CLOSE, _ENOUGH = 2, 2
"""How many votes the second answer may be behind, and how many it must have, for a vote to be close."""


class Step(NamedTuple):
    """One step of a deduction, with the text of the lines that it names."""

    text: str
    facts: tuple[str, ...]
    missing: tuple[int, ...] = ()
    """Numbers it names that no line before it has."""

    @property
    def grounded(self) -> bool:
        """Whether it can be put to a verifier: it says something and names lines, all of which there are."""
        return bool(self.text and self.facts) and not self.missing


class Program(NamedTuple):
    """A deduction as it was written: facts, steps, answer."""

    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    answer: str | None


def read_program(text: str) -> Program:
    """The numbered lines up to the first answer line: facts, then steps that name lines.

    From the first that does all lines are steps. A name means the last line before that has the number. What is not
    numbered is passed over.

    >>> read_program("1. It has 3 legs.\\n2. (from 1) 3 is odd.\\n3. (from 2, 7) So it limps.\\nAnswer: limps").steps
    (Step(text='3 is odd.', facts=('It has 3 legs.',), missing=()), Step(text='So it limps.', facts=('3 is odd.',), \
missing=(7,)))
    """
    chain, said = read_chain(text), dict[int, str]()
    facts: list[str] = []
    steps: list[Step] = []
    for line in filter(None, map(_LINE.match, chain.text.splitlines())):
        uses = _USES.search(line[2])
        stated = (line[2].replace(uses[0], "", 1) if uses else line[2]).strip()
        if uses or steps:
            named = _named(uses[1]) if uses else ()
            known = tuple(said[number] for number in named if number in said)
            steps.append(Step(stated, known, tuple(number for number in named if number not in said)))
        else:
            facts.append(stated)
        said[int(line[1])] = stated
    return Program(tuple(facts), tuple(steps), chain.answer)


def _named(text: str) -> tuple[int, ...]:
    """The numbers in a list of lines such as "1, 3-5", each once."""
    found = [(int(one), int(last or one)) for one, last in _NUMBERS.findall(text)]
    return tuple(dict.fromkeys(number for one, last in found for number in range(one, last + 1)))


def contenders(votes: Sequence[str | None]) -> set[str]:
    """The two answers with most votes, and all that tie with the second, if the vote is close; else none.

    Close is a vote in which the second has at least 2 votes and at most 2 fewer than the first.

    >>> sorted(contenders(["a", "a", "a", "b", "b", "c", None])), contenders(["a", "a", "b"])
    (['a', 'b'], set())
    """
    counts = Counter(vote for vote in votes if vote is not None)
    ranked = sorted(counts.values(), reverse=True)
    if len(ranked) < 2 or ranked[1] < _ENOUGH or ranked[0] - ranked[1] > _CLOSE:
        return set()
    return {answer for answer, count in counts.items() if count >= ranked[1]}


def plurality(votes: Sequence[str | None], valid: Sequence[bool | None]) -> tuple[str, float] | None:
    """The answer of most valid chains, and its share of the votes of all that were not found invalid.

    `valid` is `None` for chains that were not verified. Without a valid chain it is the plain vote. Of answers with as
    many votes that comes first which has more votes of all. `None` where no vote is readable.

    >>> plurality(["a", "a", "a", "b", "b", None], [False, True, False, True, True, None])
    ('b', 0.5)
    """
    plain = Counter(vote for vote in votes if vote is not None)
    counted = Counter(vote for vote, ok in zip(votes, valid, strict=True) if ok and vote is not None)
    standing = [vote for vote, ok in zip(votes, valid, strict=True) if ok is not False] if counted else votes
    if not plain:
        return None
    best = max(sorted(counted or plain), key=lambda answer: ((counted or plain)[answer], plain[answer]))
    return best, standing.count(best) / len(standing)


def passes(votes: Sequence[bool]) -> bool:
    """Whether more than half of the votes are for a step."""
    return 2 * sum(votes) > len(votes)


@dataclass(frozen=True)
class DeductiveVerification:
    """Share of the chains for an answer, once those of close contenders have had every step verified.

    Range [0, 1], higher is surer; the answer is the method's own answer. `samples` chains are drawn in which every step
    names the lines it rests on. If the vote between the two most frequent answers is close (the second has 2 votes at
    least, and at most 2 fewer), each step of their chains is shown to the model with those lines alone, and `votes`
    times it says whether the step follows; more than half must agree. A chain is valid when all its steps are; the
    check stops at the first that is not. The answer of most valid chains wins, or of most chains where none is valid or
    the vote was not close. The confidence is its share of all chains that were not found invalid, those without a
    readable answer among them.

    A verdict that cannot be read is a vote against the step; a step that names no line, or one that is not there, is
    invalid, and so is a chain without steps. Equal steps that rest on equal lines are checked once. `as_released`
    counts all that cannot be read or checked as valid, as the released code does; the steps of one line that it passes
    too have no counterpart, since here all are. Ling et al. 2023, Deductive Verification of Chain-of-Thought Reasoning
    (arXiv 2306.03872), with references before the step; both temperatures are that of the released verifier. The
    wordings are ours, and short.
    """

    samples: int = 10
    votes: int = 3
    temperature: float = 0.7
    as_released: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ("deductive-verification",)
    coverage: ClassVar[str] = "full"
    example: ClassVar[str] = "bank:planted"
    model: ClassVar[str] = "mock/honest"
    dear: ClassVar[bool] = True
    helps: ClassVar[str] = "Problems solved in steps, when chains disagree and the model is better at checking a step."
    fails: ClassVar[str] = "Small models do not keep the form, and wave through or reject whatever step they are shown."

    def __post_init__(self) -> None:
        """Check the numbers of chains and votes."""
        check_samples(self.samples)
        if self.votes < 1:
            raise UsageError(f"{self.votes} votes on a step", hint="at least 1")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Draw the chains, verify those of close contenders, and count."""
        begin = prefill(inquiry, deduction.BEGIN)
        replies = await inquiry.draws(
            deduction.natural_program(inquiry.messages, inquiry.kind),
            self.samples,
            temperature=self.temperature,
            prefill=begin,
            max_tokens=240,
        )
        programs = [read_program(begin + reply.text) for reply in replies]
        said = [program.answer or "" for program in programs]
        votes = [canonical(answer, inquiry.kind, inquiry.choices) for answer in said]
        close = contenders(votes)
        valid = await asyncio.gather(
            *(
                self._valid(inquiry, each) if vote in close else _none()
                for each, vote in zip(programs, votes, strict=True)
            )
        )
        verified = [ok for ok in valid if ok is not None]
        details: dict[str, float | None] = {
            "readable": len(votes) - votes.count(None),
            "verified": len(verified),
            "valid": sum(verified) if verified else None,
        }
        found = plurality(votes, valid)
        if found is None:
            return Confidence(None, self.scale, "no chain has a readable answer", details=details)
        best, share = found
        return Confidence(share, self.scale, answer=shortest(said, votes)[best], details=details)

    async def _valid(self, inquiry: Inquiry, program: Program) -> bool:
        """Whether all steps of a chain are valid; asks about none after the first that is not."""
        for step in program.steps:
            if not await self._holds(inquiry, step):
                return False
        return bool(program.steps) or self.as_released

    async def _holds(self, inquiry: Inquiry, step: Step) -> bool:
        """Whether a step follows from the lines it names, by the votes of the model."""
        if not step.grounded:
            return self.as_released
        begin = prefill(inquiry, deduction.CHECK)
        messages = deduction.check(step.facts, step.text)
        replies = await inquiry.draws(messages, self.votes, temperature=self.temperature, prefill=begin, max_tokens=48)
        verdicts = [verdict(begin + reply.text) for reply in replies]
        return passes([self.as_released if said is None else said for said in verdicts])


def verdict(text: str) -> bool | None:
    """What a check ends in: yes or no after the word for it, else as the text's answer; `None` if it says neither.

    >>> verdict("Facts: given. Sums: 2 + 2 is not 5. Verdict: No"), verdict("Yes."), verdict("Facts: given.")
    (False, True, None)
    """
    return yes_no(text.rpartition(deduction.VERDICT)[2])


async def _none() -> None:
    """No verdict on a chain that is not verified."""
