"""Stated top-k: several guesses with a probability each; the most probable one counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.guessing import NONE, best, check_guesses, stated_guesses
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class StatedTopK:
    """The highest probability the model states among `k` guesses, divided by 100.

    Range [0, 1], higher is surer. The number is about the method's own answer, the most probable guess; of equals the
    first. Only guesses with a readable probability count; `details` holds them. With `turns=2` the guesses are made
    first and their probabilities asked for in the next turn. Two example exchanges show the form. Tian et al. 2023,
    Just Ask for Calibration (arXiv 2305.14975), "Verb. 1S top-k" and "Verb. 2S top-k"; also Xiong et al. 2023
    (arXiv 2306.13063). Raises `UsageError` when `k` is not from 1 to 6, or `turns` not 1 or 2.
    """

    k: int = 4
    turns: int = 1

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "full"
    spelled: ClassVar[str] = (
        "label_probability,is_true_samples,stated_top_k,stated_top_k(turns=2),stated_top_k_scaled,"
        "stated_after_reasoning,certainty_words_one_turn,certainty_words_fitted"
    )
    helps: ClassVar[str] = "Large models, which are less sure of one answer when they had to name others."
    fails: ClassVar[str] = (
        "Small models fill in the list by rote: on 150 capitals the number says nothing and the answers get worse."
    )

    def __post_init__(self) -> None:
        """Check the number of guesses and of turns."""
        check_guesses(self.k, self.turns)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the guesses and take the most probable one."""
        found = await stated_guesses(inquiry, self.k, self.turns)
        if not found:
            return Confidence(None, self.scale, NONE)
        answer = best(found)
        return Confidence(found[answer], self.scale, answer=answer, details=found)
