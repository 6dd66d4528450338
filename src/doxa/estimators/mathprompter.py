"""MathPrompter: a formula and a program written apart must agree on random numbers before they count."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from string import ascii_uppercase
from typing import ClassVar

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry, derive_seed
from doxa.text import Program, read_expression, read_function, run_program
from doxa.text.figures import figures, quantities
from doxa.types import Access, Confidence, Scale

Inputs = Mapping[str, Fraction]


def abstracted(text: str) -> tuple[str, dict[str, Fraction]]:
    """The text with a letter for every number, and the numbers by letter; a letter that is a word there is left out.

    Raises `UsageError` when there are more numbers than letters.

    >>> abstracted("A cup costs 2 dollars. How much do 15 cups cost?")
    ('A cup costs B dollars. How much do C cups cost?', {'B': Fraction(2, 1), 'C': Fraction(15, 1)})
    """
    text = figures(text)
    found, free = quantities(text), [letter for letter in ascii_uppercase if not re.search(rf"\b{letter}\b", text)]
    if len(found) > len(free):
        raise UsageError(f"the question has {len(found)} numbers", hint=f"{len(free)} letters stand for numbers")
    parts, place = [], 0
    for letter, number in zip(free, found, strict=False):
        parts += [text[place : number.start], letter, "%" * number.percent]
        place = number.end
    return "".join([*parts, text[place:]]), {x: Fraction(str(q.value)) for x, q in zip(free, found, strict=False)}


def agreed(formula: Program, function: Program, trials: Sequence[Inputs], actual: Inputs) -> Fraction | None:
    """The formula's value on the actual inputs if both agree there and in all trials (to 1e-9), else `None`.

    Raises `UsageError` when one of them cannot be worked out.
    """
    for inputs in (*trials, actual):
        value, other = run_program(formula, inputs), run_program(function, inputs)
        if abs(value - other) * 10**9 > max(abs(value), abs(other)):
            return None
    return value


def written(value: Fraction) -> str:
    """A value as an answer: a whole number, or a decimal of twelve figures."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.12g}"


@dataclass(frozen=True)
class Mathprompter:
    """Share of `samples` rounds in which a formula and a Python function agreed on the most frequent value.

    Range [0, 1], higher is surer. The numbers of the question become variables; each round asks for a formula of them
    and, apart from it, for a function. A round counts when both agree on `trials` random inputs (whole numbers from 1
    to 500) and on the numbers of the question; a round that cannot be worked out, as for a division by zero, counts for
    nothing. The most frequent value, of equals the first, is the own answer. A question without numbers has no
    confidence. Both are worked out by a reader of plain arithmetic; nothing a model writes is executed. Imani, Du and
    Shrivastava 2023, MathPrompter (arXiv 2303.05398); examples and temperature are ours.
    """

    samples: int = 5
    trials: int = 5
    temperature: float = 0.7

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("mathprompter",)
    coverage: ClassVar[str] = "full"
    example: ClassVar[str] = "bank:word_problems"
    helps: ClassVar[str] = "Word problems in numbers, for a model that can write a formula and a function."
    fails: ClassVar[str] = (
        "Questions without numbers have no number, and models too small to write code agree with themselves on nothing."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the programs, keep the rounds in which they agree, and count."""
        try:
            text, actual = abstracted(prompts.bare(inquiry.messages, inquiry.kind, inquiry.choices))
        except UsageError as error:
            return Confidence(None, self.scale, str(error))
        if not actual:
            return Confidence(None, self.scale, "the question has no numbers")
        replies = await asyncio.gather(*(self._round(inquiry, text, tuple(actual), n) for n in range(self.samples)))
        random = Random(derive_seed(inquiry.asking.seed, inquiry.id, "mathprompter inputs"))
        trials = [{name: Fraction(random.randint(1, 500)) for name in actual} for _ in range(self.trials)]
        found, differ = [], 0
        for formula, function in replies:
            try:
                value = agreed(read_expression(formula), read_function(function), trials, actual)
            except UsageError:
                continue
            differ += value is None
            found += [] if value is None else [written(value)]
        failed = self.samples - len(found) - differ
        if not found:
            why = f"formula and function never agree: they differ {differ} times and fail {failed} times"
            return Confidence(None, self.scale, why)
        [(answer, votes)] = Counter(found).most_common(1)
        details = {"agreed": len(found), "differed": differ, "failed": failed}
        return Confidence(votes / self.samples, self.scale, answer=answer, details=details)

    async def _round(self, inquiry: Inquiry, text: str, names: tuple[str, ...], number: int) -> tuple[str, str]:
        """The replies of one round: a formula and a function."""
        seed = derive_seed(inquiry.asking.seed, inquiry.id, "mathprompter") + number
        begin, head = prefill(inquiry, "Answer ="), prefill(inquiry, prompts.function_head(names))
        formula, function = await asyncio.gather(
            inquiry.ask(
                prompts.formula(text, names),
                prefill=begin,
                temperature=self.temperature,
                seed=seed,
                max_tokens=64,
            ),
            inquiry.ask(
                prompts.python_function(text, names),
                prefill=head,
                temperature=self.temperature,
                seed=seed,
                max_tokens=160,
            ),
        )
        return begin + formula.text, head + function.text
