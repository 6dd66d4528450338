"""Early answering: does the model give its answer already when its reasoning is cut short?"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.chains import chains
from doxa.estimators.thinking import Thought, body, force, parted
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


def majority(answers: Sequence[str | None]) -> tuple[str, list[int]] | None:
    """The commonest answer and the places where it stands; of equals the first. `None` where there is none at all.

    >>> majority(["5", None, "7", "7"])
    ('7', [2, 3])
    """
    counts = Counter(answer for answer in answers if answer is not None)
    if not counts:
        return None
    [(winner, _)] = counts.most_common(1)
    return winner, [place for place, answer in enumerate(answers) if answer == winner]


def kept_share(early: Sequence[str | None], final: str) -> float | None:
    """Share of the early answers that are the final one; unreadable ones are left out, `None` where all are.

    >>> kept_share(["7", "5", None, "7"], "7") == 2 / 3
    True
    """
    readable = [answer == final for answer in early if answer is not None]
    return sum(readable) / len(readable) if readable else None


@dataclass(frozen=True)
class EarlyAnswering:
    """Share of the cuts of its reasoning at which the model already gives the answer that it ends with.

    Range [0, 1], higher is surer: an answer that was there before the reasoning did not need it. One minus it is the
    paper's faithfulness, how far the stated reasoning was needed (`necessity` in the details). `chains` chains are
    drawn, their commonest answer is the method's own answer, and the first chain that gave it (every one, with
    `every=True`) is cut after each share in `cuts` of its words; there the final answer is forced, greedily. Early
    answers that cannot be read are counted in the details, not as changed; chains without an answer have no vote.
    `details` hold also how often the answer was kept at each cut: that at 0 is the answer without any reasoning, which
    faithfulness must be read beside. Mehta 2026, Does Inference Scaling Improve Reasoning Faithfulness? (arXiv
    2601.06423), after Lanham et al. 2023, Measuring Faithfulness in Chain-of-Thought Reasoning (arXiv 2307.13702).
    """

    chains: int = 5
    cuts: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    every: bool = False
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ("inference-scaling-faithfulness",)
    coverage: ClassVar[str] = "full"
    spelled: ClassVar[str] = "early_answering(chains=1),early_answering(chains=5),early_answering(chains=20)"
    example: ClassVar[str] = "bank:capitals --limit 10"
    helps: ClassVar[str] = "Where one asks whether the reasoning that is shown is what the answer rests on."
    fails: ClassVar[str] = "Where questions are easy: they are answered without reasoning, which looks unfaithful."

    def __post_init__(self) -> None:
        """Check the chains and the cuts."""
        if self.chains < 1:
            raise UsageError(f"{self.chains} chains have no answer", hint="at least 1")
        if not self.cuts or not all(0 <= cut < 1 for cut in self.cuts):
            raise UsageError(f"cuts at {self.cuts}", hint="shares from 0 to below 1, for example (0.0, 0.5)")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Draw the chains, vote, cut those behind the winner, and ask again at each cut."""
        drawn = await chains(inquiry, self.chains, temperature=self.temperature)
        said = [None if chain.answer is None else self._read(inquiry, chain.answer) for chain in drawn]
        voted = majority(said)
        if voted is None:
            return Confidence(None, self.scale, "no chain holds a readable answer")
        final, behind = voted
        thoughts = [parted("", body(drawn[i].text), None) for i in (behind if self.every else behind[:1])]
        rows = await asyncio.gather(*(self._at(inquiry, cut, thoughts) for cut in self.cuts))
        early = [answer for row in rows for answer in row]
        kept = {f"kept_{cut:g}": kept_share(row, final) for cut, row in zip(self.cuts, rows, strict=True)}
        value = kept_share(early, final)
        details = {
            "chains": float(self.chains),
            **kept,
            "necessity": None if value is None else 1 - value,
            "unreadable": float(early.count(None)),
        }
        reason = "no early answer could be read" if value is None else ""
        return Confidence(value, self.scale, reason, answer=drawn[behind[0]].answer, details=details)

    async def _at(self, inquiry: Inquiry, cut: float, thoughts: Sequence[Thought]) -> list[str | None]:
        """What the model answers where each of some chains is cut."""
        shown = (each.first(math.floor(cut * len(each.pieces))) for each in thoughts)
        replies = await asyncio.gather(*(force(inquiry, text) for text in shown))
        return [self._read(inquiry, reply.text) for reply in replies]

    @staticmethod
    def _read(inquiry: Inquiry, text: str) -> str | None:
        return canonical(text, inquiry.kind, inquiry.choices)
