"""Step confidence: how sure the model is, line by line, that a chain of reasoning will end right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from doxa.estimators.chains import Chain, chain
from doxa.inquiry import Inquiry
from doxa.prompts import TRUE_FALSE, deduction, reasoning
from doxa.text import canonical
from doxa.types import Access, Confidence, Part, Scale

DROP, LEAST = -0.5, 1e-5
"""The relative change below which a step is bad, and the value below which there was nothing left to lose."""


def relative_changes(values: Sequence[float]) -> list[float | None]:
    """(v_e − v_s) / v_s of each step, v_s being the value before it and v_e that after it; `None` for |v_s| < 1e-5.

    >>> relative_changes([0.5, 0.25, 0.0, 1.0])
    [-0.5, -1.0, None]
    """
    return [None if abs(before) < LEAST else (after - before) / before for before, after in pairwise(values)]


def step_labels(values: Sequence[float]) -> list[bool]:
    """Whether each step is good, from the values before the first step and after every step.

    A step is bad when the value falls by more than half of itself, or was below 1e-5 before; so is every later one.

    >>> step_labels([0.5, 0.2]), step_labels([0.5, 0.25]), step_labels([0.5, 0.6, 0.1, 0.9])
    ([False], [True], [True, False, False])
    """
    fine = [change is not None and change >= DROP for change in relative_changes(values)]
    return [all(fine[: place + 1]) for place in range(len(fine))]


@dataclass(frozen=True)
class StepConfidence:
    """P(the final answer will be right), as the model sees it at the end of its greedy chain of reasoning.

    Range [0, 1], higher is surer; about the chain's answer, the method's own answer. After no line of the chain, then
    after each, the question and the lines so far are shown in a fresh conversation, and the model is asked whether
    their final answer will be (A) right or (B) wrong: p(A) / (p(A) + p(B)). `parts` are the lines of the chain's text,
    each with the value after it. `details` hold the values before the first line and after the last, the lowest
    relative change (v_e − v_s) / v_s, and how many lines `step_labels` calls bad: those from the first on that takes
    more than half of the value.

    The rule for steps is that of Lu et al. 2024, AutoPSV (arXiv 2405.16802); they read the value off a verifier
    trained on outcomes, for whom the model itself stands in here, untrained, as in Kadavath et al. 2022 (arXiv
    2207.05221).
    """

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ("autopsv",)
    coverage: ClassVar[str] = (
        "proxy: labels of steps by relative drops of the model's own P(right); no trained verifier"
    )
    example: ClassVar[str] = "bank:word_problems"
    helps: ClassVar[str] = "Chains of several steps: it shows at which line the model stops believing in its answer."
    fails: ClassVar[str] = "A model that is blind to its slips of reasoning keeps its value; small ones hardly move it."

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask after every line of the greedy chain."""
        written = await chain(inquiry)
        if written.answer is None or canonical(written.answer, inquiry.kind, inquiry.choices) is None:
            return Confidence(None, self.scale, "the chain has no readable answer")
        lines = [*written.steps, f"{reasoning.ANSWER} {written.answer}"]
        asked = (deduction.prospect(inquiry.messages, lines[:end]) for end in range(len(lines) + 1))
        options = await asyncio.gather(*(inquiry.options(messages, TRUE_FALSE) for messages in asked))
        values = [each.probabilities[0] for each in options]
        parts = tuple(Part(start, end, value) for (start, end), value in zip(spans(written), values[1:], strict=True))
        changes = [change for change in relative_changes(values) if change is not None]
        details: dict[str, float | None] = {
            "before": values[0],
            "after": values[-1],
            "lowest_change": min(changes, default=None),
            "bad_lines": step_labels(values).count(False),
        }
        return Confidence(values[-1], self.scale, answer=written.answer, parts=parts, details=details)


def spans(written: Chain) -> list[tuple[int, int]]:
    """Where the steps and the answer stand in a chain's text."""
    found, end = [], 0
    for line in (*written.steps, written.answer or ""):
        start = written.text.index(line, end)
        end = start + len(line)
        found.append((start, end))
    return found
