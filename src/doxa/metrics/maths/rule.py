"""What a metric is, besides its formula."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isnan
from typing import Any, Literal

from numpy.typing import ArrayLike

from doxa import registry
from doxa.errors import DataError, UsageError
from doxa.metrics.maths.cells import Cells, group, ratio
from doxa.metrics.maths.checks import Floats, check
from doxa.metrics.maths.intervals import Interval, student
from doxa.metrics.maths.kernels import Kernel, Part, Sums
from doxa.types import Scale

BOTH = "all answers are right, or all are wrong"


@dataclass(frozen=True, slots=True)
class Rule:
    """The constant `RULE` of a metric's file: its kernel and what reports must know about it."""

    kernel: Kernel
    better: Literal["low", "high", "zero"]
    scale: Scale = Scale.UNIT
    """`UNIT`: needs confidences in [0, 1]; `REAL`: takes any number, since only the order counts."""
    bounds: tuple[float, float] = (0.0, 1.0)
    undefined: str = ""
    """When it does not exist."""
    interval: Callable[[Cells], Interval] | None = None
    """The interval by formula, for independent answers; `None` leaves it to the bootstrap."""
    p_value: Callable[[Cells], float | None] | None = None
    """Of the test whether the confidences are calibrated, for independent answers; `None` where it has no power."""
    parts: Callable[[Floats], tuple[Floats, Floats]] | None = None
    """Of a mean over answers: what a right and what a wrong one counts at each confidence."""
    distance: bool = False
    """A distance from calibration: noise can only add to it, which its interval must take back."""
    implements: tuple[str, ...] = ()
    """Ids of published systems."""

    def value(self, confidence: ArrayLike, correct: ArrayLike, **knobs: Any) -> float:
        """Check the arrays, then apply the kernel. Raises `DataError` where the metric does not exist."""
        value = float(self.kernel(group(*check(confidence, correct, self.scale)), **knobs))
        if isnan(value):
            raise DataError(f"undefined: {self.undefined}", hint="measure gives None and this reason instead")
        return value


def mean_rule(
    parts: Callable[[Floats], tuple[Floats, Floats]],
    *,
    better: Literal["low", "high", "zero"],
    bounds: tuple[float, float] = (0.0, inf),
    implements: tuple[str, ...] = (),
) -> Rule:
    """The rule of a metric that is a mean over answers: `parts(confidence)` says what right and wrong ones count."""
    return Rule(
        kernel=Sums(lambda confidence: (Part(*parts(confidence)),), lambda total, sums: ratio(sums, total)),
        better=better,
        bounds=bounds,
        interval=lambda cells: student(cells, *parts(cells.confidence)),
        parts=parts,
        implements=implements,
    )


def rule(name: str) -> Rule:
    """The rule of a metric by name. Raises `UsageError` for others than metrics of confidence and outcome."""
    found: Rule | None = getattr(sys.modules[registry.find("metrics", name).__module__], "RULE", None)
    if found is None:
        raise UsageError(
            f"{name} is not measured from confidences and outcomes", hint="measure_table takes other columns"
        )
    return found


def rules() -> list[str]:
    """Names of the metrics of confidence and outcome."""
    members = {name: sys.modules[registry.find("metrics", name).__module__] for name in registry.names("metrics")}
    return [name for name, module in members.items() if hasattr(module, "RULE")]
