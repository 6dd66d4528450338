"""Stated top-k after temperature scaling: one exponent for all stated probabilities, learnt from answered questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from doxa.errors import CallFailed, Unavailable
from doxa.estimators.guessing import NONE, best, check_guesses, stated_guesses
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

EPS = 0.005
"""Stated probabilities are clipped to [EPS, 1 - EPS]: 0 % and 100 % are whole numbers for less than half a percent."""
_EXPONENTS = np.exp(np.linspace(-4, 4, 801))


def scaled(probabilities: Sequence[float], beta: float) -> list[float]:
    """p_i^beta over the sum of these for all guesses; of a single guess over p^beta + (1 - p)^beta.

    >>> [round(p, 4) for p in scaled([0.9, 0.1], 0.5)], [round(p, 4) for p in scaled([0.9], 2)]
    ([0.75, 0.25], [0.9878])
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), EPS, 1 - EPS)
    weights = p**beta
    return [float(each) for each in weights / (weights.sum() if len(p) > 1 else weights[0] + (1 - p[0]) ** beta)]


def best_exponent(stated: Sequence[Sequence[float]], correct: Sequence[bool]) -> float:
    """The beta of greatest likelihood of the best guesses being right or wrong, from e^-4 to e^4.

    The likelihood need not have a single peak for lists of guesses, so a fine grid is searched.
    """
    losses = []
    for beta in _EXPONENTS:
        q = np.array([max(scaled(each, float(beta))) for each in stated])
        losses.append(-float(np.log(np.where(correct, q, np.maximum(1 - q, 1e-300))).mean()))
    return float(_EXPONENTS[int(np.argmin(losses))])


@dataclass(frozen=True)
class StatedTopKScaled:
    """The share of the most probable of `k` guesses after scaling: p^beta / Σ p_i^beta, for one guess p and 1 - p.

    Range [0, 1], higher is surer. The number is about the method's own answer, that of `stated_top_k`; `details` holds
    beta, which is fitted by likelihood on other questions; below 1 the model was too sure of itself. Unfitted it is 1.
    Probabilities are clipped to 0.005 and 0.995 first, so that nothing is impossible. Tian et al. 2023, Just Ask for
    Calibration (arXiv 2305.14975), temperature scaling. Raises `UsageError` for `k` and `turns` as `stated_top_k`.
    """

    k: int = 4
    turns: int = 1
    _beta: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: temperature scaling"
    helps: ClassVar[str] = "Stated probabilities rank well but are all too high, and some questions have known answers."
    fails: ClassVar[str] = "What is stated has no relation to what is right: no exponent puts it there."

    def __post_init__(self) -> None:
        """Check the number of guesses and of turns."""
        check_guesses(self.k, self.turns)

    async def fit(self, inquiries: Sequence[Inquiry], correct: Sequence[bool]) -> Self:
        """Find beta. Raises `Unavailable` where no two guesses can be read, or all are right, or all wrong."""
        stated: list[list[float]] = []
        for inquiry in inquiries:
            try:
                stated.append(list((await stated_guesses(inquiry, self.k, self.turns)).values()))
            except (CallFailed, Unavailable):  # one question less to learn from
                stated.append([])
        known = [(each, right) for each, right in zip(stated, correct, strict=True) if each]
        if len({right for _, right in known}) < 2:
            raise Unavailable("the guesses that could be read are not both right and wrong, so nothing can be scaled")
        return replace(self, _beta=best_exponent([each for each, _ in known], [right for _, right in known]))

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the guesses and scale their probabilities."""
        found = await stated_guesses(inquiry, self.k, self.turns)
        if not found:
            return Confidence(None, self.scale, NONE)
        answer, shares = best(found), scaled(list(found.values()), self._beta)
        return Confidence(max(shares), self.scale, answer=answer, details={"beta": self._beta})
