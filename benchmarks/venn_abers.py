"""Venn-Abers calibration beside MAPIE.

Both sides are fitted on the same 50,000 scores and outcomes and then give p0, p1 and the merged probability of as many
new scores: doxa by `VennAbers`, MAPIE by the class behind its `VennAbersCalibrator`, which is spared the forming of
classes and estimators around it. Three shapes of scores: uniform, beta(.2, .2), which crowd near 0 and 1, and
beta(8, 1), which crowd near 1. Above the greatest score seen MAPIE repeats its last p1, which is 1 by definition, so
the new scores end there.
"""

from __future__ import annotations

from typing import Any

from side import Result, Row, Side, Table, Target, main, play
from side.jobs import distance, seconds, timed, values

SHAPES = {"uniform": (1, 1), "beta(.2, .2)": (0.2, 0.2), "beta(8, 1)": (8, 1)}
EVERY = 10
"""Of the new scores, how many there are for one whose probabilities are compared."""


def sample(shape: tuple[float, float], n: int) -> tuple[Any, Any, Any]:
    """Scores, outcomes as likely as the scores say, and new scores."""
    import numpy as np

    rng = np.random.default_rng(0)
    scores = rng.beta(*shape, n)
    return scores, rng.random(n) < scores, np.minimum(rng.beta(*shape, n), scores.max())


def doxa_calibrates(n):
    from doxa.calibrators.venn_abers import VennAbers

    def job(scores, right, new):
        fitted = VennAbers().fit(confidence=scores, correct=right)
        columns = [*fitted.interval(confidence=new), fitted.predict(confidence=new)]
        return [column[::EVERY].tolist() for column in columns]

    data = {name: sample(shape, n) for name, shape in SHAPES.items()}
    return timed({name: lambda each=each: job(*each) for name, each in data.items()})


def mapie_calibrates(n):
    import warnings

    import numpy as np
    from mapie._venn_abers import VennAbers

    warnings.filterwarnings("ignore", category=RuntimeWarning)  # it divides 0 by 0 on its way

    def job(scores, right, new):
        fitted = VennAbers()
        fitted.fit(np.column_stack([1 - scores, scores]), right.astype(float))
        merged, bounds = fitted.predict_proba(np.column_stack([1 - new, new]))
        return [column[::EVERY].tolist() for column in (*bounds.T, merged[:, 1])]

    data = {name: sample(shape, n) for name, shape in SHAPES.items()}
    return timed({name: lambda each=each: job(*each) for name, each in data.items()})


def benchmark(quick: bool) -> Result:
    n = 2_000 if quick else 50_000
    rival = "MAPIE"
    played = play((Side("doxa", doxa_calibrates, n), Side(rival, mapie_calibrates, n, ("mapie==1.6.0",))), rounds=5)
    took = {name: seconds(turns) for name, turns in played.items()}
    tables = tuple(
        Table(f"{n:,} scores and as many new ones, {shape}", tuple(Row(name, own[shape]) for name, own in took.items()))
        for shape in SHAPES
    )
    notes = []
    if rival in played:
        apart = distance(*(list(values(turns).values()) for turns in played.values()))
        notes.append(f"The probabilities of both sides differ by at most {apart:.0e}.")
    ratios = [ratio for table in tables if (ratio := table.ratio(rival)) is not None]
    target = Target("least of the ratios to MAPIE", min(ratios, default=None), at_least=10)
    return Result(tables, (target,), tuple(notes), failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
