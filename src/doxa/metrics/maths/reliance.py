"""How a reader takes advice: agreement, accuracy, and reliance on advice that is right or wrong.

One row is one question that a reader, real or simulated, answered after seeing a model's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from doxa.errors import DataError
from doxa.metrics.maths.checks import outcomes, refuse

Flags = Sequence[bool] | ArrayLike


@dataclass(frozen=True, slots=True)
class Reliance:
    """Counts of a two-by-two table, advice right or wrong by followed or not, and the shares that follow from it."""

    right_followed: int
    right_refused: int
    wrong_followed: int
    wrong_refused: int
    final_right: int

    @property
    def n(self) -> int:
        """Answers of the reader."""
        return self.right_followed + self.right_refused + self.wrong_followed + self.wrong_refused

    @property
    def agreement(self) -> float:
        """Share of the reader's answers that are the model's. What hedges in the first person lower."""
        return (self.right_followed + self.wrong_followed) / self.n

    @property
    def accuracy(self) -> float:
        """Share of the reader's final answers that are right."""
        return self.final_right / self.n

    @property
    def over_reliance(self) -> float | None:
        """Share of wrong advice that is followed; lower is better. `None` where no advice was wrong."""
        wrong = self.wrong_followed + self.wrong_refused
        return self.wrong_followed / wrong if wrong else None

    @property
    def under_reliance(self) -> float | None:
        """Share of right advice that is not followed; lower is better. `None` where no advice was right."""
        right = self.right_followed + self.right_refused
        return self.right_refused / right if right else None

    @property
    def appropriate(self) -> float:
        """Share of the advice that is followed when right and not followed when wrong; higher is better."""
        return (self.right_followed + self.wrong_refused) / self.n


def count_reliance(*, advice_right: Flags, agreed: Flags, final_right: Flags) -> Reliance:
    """Count a reader's answers: was the model's answer right, was the reader's the same, and was the reader's right?

    Kim et al. 2024, I'm Not Sure, But... (FAccT) compare agreement and accuracy between answers hedged in the first
    person, hedged in general and not hedged; count each of these groups apart. Raises `DataError` for unequal lengths,
    no rows, or an answer that is the model's and yet right where the model's is wrong, or the other way round.
    """
    advice, same = outcomes(advice_right, "advice_right"), outcomes(agreed, "agreed")
    final = outcomes(final_right, "final_right")
    if not len(advice) == len(same) == len(final):
        raise DataError(
            f"advice_right has {len(advice)}, agreed {len(same)} and final_right {len(final)} values",
            hint="give all three of every answer",
        )
    if not len(advice):
        raise DataError("there are no answers", hint="reliance needs at least one")
    contradicts = same & (advice != final)
    refuse("final_right", final.astype(float), contradicts, "other than the advice agreed with", "check the columns")
    return Reliance(
        int((advice & same).sum()),
        int((advice & ~same).sum()),
        int((~advice & same).sum()),
        int((~advice & ~same).sum()),
        int(final.sum()),
    )
