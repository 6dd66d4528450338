"""Temperature scaling: one number that softens or sharpens the confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.calibrators.maths.logistic import logits
from doxa.calibrators.maths.sharpening import best_exponent
from doxa.metrics.maths.checks import Floats, check
from doxa.state import dump, fitted, load, ungrouped
from doxa.types import Scale


@dataclass(frozen=True, slots=True)
class Temperature:
    """P(right) = sigmoid(logit(confidence) / temperature), for confidences in [0, 1].

    The temperature of greatest likelihood; above 1 the model was too sure. Keeps the order and the point 0.5, so it
    cannot mend confidence that is too high for right and wrong answers alike. Scores of another scale need `Platt` or
    `Isotonic`. The same as p^beta / (p^beta + (1 - p)^beta) with beta = 1 / temperature, which is how Tian et al. 2023
    (arXiv 2305.14975) scale one stated guess; for k guesses there is `maths.sharpening`.
    Source: Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599, in the binary form.
    """

    scale: ClassVar[Scale] = Scale.UNIT
    implements: ClassVar[tuple[str, ...]] = ()
    _temperature: float | None = None

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, by: Any = None) -> Self:
        """Return a fitted copy. Raises `DataError` for bad values."""
        ungrouped(by)
        p, y = check(confidence, correct)
        return replace(self, _temperature=1 / best_exponent(np.column_stack([p, 1 - p]), np.where(y, 0, 1)))

    def predict(self, *, confidence: ArrayLike, by: Any = None) -> Floats:
        """Probability of being right."""
        from scipy.special import expit

        ungrouped(by)
        p = check(confidence, np.zeros(np.shape(confidence)))[0]
        return np.asarray(expit(logits(p) / fitted(self._temperature)), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The calibrator that `to_json` wrote."""
        return load(cls, data)
