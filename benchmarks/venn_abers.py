"""Venn-Abers calibration beside MAPIE 1.6, in one process.

python benchmarks/venn_abers.py [ANSWERS]

Both sides are fitted on the same scores and outcomes and then give p0, p1 and the merged probability of as many new
scores: doxa by `VennAbers`, MAPIE by the class behind its `VennAbersCalibrator`, which is spared the forming of classes
and estimators around it. Three shapes of scores: uniform, beta(.2, .2), which crowd near 0 and 1, and beta(8, 1), which
crowd near 1. The sides take turns, A B A B …; medians count. Exit code 1 if a ratio is below what is promised or a
number differs by more than 1e-12. Above the greatest score seen MAPIE repeats its last p1, which is 1 by definition, so
the new scores end there.
"""

from __future__ import annotations

import sys
import time
import warnings
from statistics import median

import numpy as np
from mapie._venn_abers import VennAbers as Mapies

from doxa.calibrators.venn_abers import VennAbers

PROMISED = 10.0
TURNS = 5
SHAPES = {"uniform": (1, 1), "beta(.2, .2)": (0.2, 0.2), "beta(8, 1)": (8, 1)}


def sample(shape: tuple[float, float], n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, outcomes as likely as the scores say, and new scores."""
    rng = np.random.default_rng(0)
    scores = rng.beta(*shape, n)
    return scores, rng.random(n) < scores, np.minimum(rng.beta(*shape, n), scores.max())


def ours(scores: np.ndarray, right: np.ndarray, new: np.ndarray) -> np.ndarray:
    fitted = VennAbers().fit(confidence=scores, correct=right)
    return np.column_stack([*fitted.interval(confidence=new), fitted.predict(confidence=new)])


def theirs(scores: np.ndarray, right: np.ndarray, new: np.ndarray) -> np.ndarray:
    fitted = Mapies()
    fitted.fit(np.column_stack([1 - scores, scores]), right.astype(float))
    merged, bounds = fitted.predict_proba(np.column_stack([1 - new, new]))
    return np.column_stack([bounds, merged[:, 1]])


def compared(title: str, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Let both take turns; print and return the ratio of their median times, 0 where their numbers differ."""
    seconds: dict[str, list[float]] = {"doxa": [], "MAPIE": []}
    found = {}
    for _ in range(TURNS):
        for name, side in (("doxa", ours), ("MAPIE", theirs)):
            start = time.perf_counter()
            found[name] = side(*data)
            seconds[name].append(time.perf_counter() - start)
    apart = np.abs(found["doxa"] - found["MAPIE"]).max()
    mine, other = (median(seconds[name]) for name in ("doxa", "MAPIE"))
    print(f"{title:14} doxa {mine:7.4f} s   MAPIE {other:7.4f} s   {other / mine:6.1f} times   apart by {apart:.1e}")
    return other / mine if apart <= 1e-12 else 0.0


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    warnings.filterwarnings("ignore", category=RuntimeWarning)  # MAPIE divides 0 by 0 on its way
    print(f"{n:,} answers to fit on, {n:,} new scores, {TURNS} turns")
    ratios = [compared(title, sample(shape, n)) for title, shape in SHAPES.items()]
    return 0 if min(ratios) >= PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
