"""People who read a model against the model itself: the same numbers as the two sides measured apart."""

from __future__ import annotations

import numpy as np
import pytest

from doxa.metrics import auroc, calibration_gap, confidence_gap, discrimination_gap, ece, measure_table


def sample(n: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    model = np.round(rng.random(n), 2)
    return {
        "model": model,
        "human": np.clip(np.round(model + rng.normal(0.2, 0.2, n), 2), 0, 1),
        "correct": rng.random(n) < model,
    }


def test_gaps_are_differences_of_the_two_sides() -> None:
    data = sample()
    sides = [{"confidence": data[side], "correct": data["correct"]} for side in ("human", "model")]
    assert calibration_gap(**data) == pytest.approx(ece(**sides[0]) - ece(**sides[1]), abs=1e-12)
    assert discrimination_gap(**data) == pytest.approx(auroc(**sides[1]) - auroc(**sides[0]), abs=1e-12)
    apart = data["human"].mean() - data["model"].mean()
    assert confidence_gap(human=data["human"], model=data["model"]) == pytest.approx(apart)


def test_readers_of_vague_words_lose_calibration_and_discrimination() -> None:
    made = measure_table(sample(2000), metrics=["calibration_gap", "discrimination_gap", "confidence_gap"])
    assert all(m.low is not None and m.low > 0 for m in made)


def test_no_gap_where_readers_believe_what_the_model_does() -> None:
    data = sample()
    same = {**data, "human": data["model"]}
    assert calibration_gap(**same) == discrimination_gap(**same) == 0
    [made] = measure_table({**data, "correct": [True] * 400}, metrics=["discrimination_gap"])
    assert made.value is None and "all answers are right" in made.reason
