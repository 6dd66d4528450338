"""Stated top-k: several guesses with a probability each, in one reply; the most probable one counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry
from doxa.text import stated_percent
from doxa.types import Access, Confidence, Scale

_GUESS = re.compile(r"\bG(\d+)\W*:((?:(?!\bG\d).)*?)\bP\1\W*:(.*?)(?=\n|\bG\d|$)", re.IGNORECASE | re.DOTALL)


def guesses(text: str) -> dict[str, float]:
    """Guesses with their probabilities in the order given; those that cannot be read are left out.

    Of two guesses with one number the later counts, of two that are equal the earlier.

    >>> guesses("G1: Oslo\\nP1: 60%\\nG2: Bergen\\nP2: 30%")
    {'Oslo': 0.6, 'Bergen': 0.3}
    """
    numbered = {number: (guess.strip(), stated_percent(said).value) for number, guess, said in _GUESS.findall(text)}
    found: dict[str, float] = {}
    for guess, value in numbered.values():
        if guess and value is not None:
            found.setdefault(guess, value)
    return found


@dataclass(frozen=True)
class StatedTopK:
    """The highest probability the model states among `k` guesses, divided by 100.

    Range [0, 1], higher is surer. The number is about the method's own answer, the most probable guess; of equals the
    first. Only guesses with a readable probability count; `details` holds them. Two example exchanges show the form.
    Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975), "Verb. 1S top-k"; also Xiong et al. 2023
    (arXiv 2306.13063). Raises `UsageError` when `k` is not from 1 to 6.
    """

    k: int = 4

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: Verb. 1S top-k after examples; without 2S top-k, 2S CoT and temperature scaling"
    helps: ClassVar[str] = "Large models, which are less sure of one answer when they had to name others."
    fails: ClassVar[str] = (
        "Small models fill in the list by rote: on 150 capitals the number says nothing and the answers get worse."
    )

    def __post_init__(self) -> None:
        """Check the number of guesses."""
        if not 1 <= self.k <= prompts.MOST_GUESSES:
            raise UsageError(f"stated_top_k cannot ask for {self.k} guesses", hint=f"k is 1 to {prompts.MOST_GUESSES}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the guesses and take the most probable one."""
        begin = prefill(inquiry, "G1:")
        messages, enough = prompts.top_k(inquiry.messages, self.k), f"G{self.k + 1}"
        said = await inquiry.ask(messages, prefill=begin, max_tokens=16 * self.k, stop=(enough,))
        found = guesses(begin + said.text)
        if not found:
            return Confidence(None, self.scale, "no guess with a readable probability")
        best = max(found, key=found.__getitem__)
        return Confidence(found[best], self.scale, answer=best, details=found)
