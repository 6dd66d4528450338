"""Signal detection of the second kind: another program's value, exact expected counts, and simulated observers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from doxa.errors import DataError, UsageError
from doxa.metrics import m_ratio, measure_table, meta_d_prime
from doxa.metrics.maths.signal import levels, sensitivity


def counts(first: list[int], second: list[int]) -> np.ndarray:
    """Counts as usually written, from the surest answer "first" to the surest "second", for both stimuli."""
    half = len(first) // 2
    return np.array([[side[:half][::-1], side[half:]] for side in (first, second)], dtype=float)


def ideal(d: float, meta: float, criterion: float, ratings: list[float]) -> np.ndarray:
    """Expected counts of an observer whose answers have d and whose ratings have meta."""
    made, middle = np.zeros((2, 2, len(ratings) + 1)), meta * criterion / d
    for stimulus in (0, 1):
        centre = (stimulus - 0.5) * meta
        yes = ndtr((stimulus - 0.5) * d - criterion)
        for response, side, share in ((1, 1, yes), (0, -1, 1 - yes)):
            beyond = ndtr(side * centre - side * middle - np.array([0.0, *ratings]))
            made[stimulus, response] = 1e6 * share * (beyond - np.append(beyond[1:], 0.0)) / beyond[0]
    return made


def table(made: np.ndarray) -> dict[str, Any]:
    rows = [place for place, times in np.ndenumerate(made.astype(int)) for _ in range(times)]
    return dict(zip(("stimulus", "response", "rating"), np.array(rows).T, strict=True))


def test_the_value_of_another_program() -> None:
    # metadpy's test of its maximum-likelihood fit, with counts padded.
    found = sensitivity(counts([52, 32, 35, 37, 26, 12, 4, 2], [2, 5, 15, 22, 33, 38, 40, 45]))
    assert (round(found.d, 3), round(found.meta, 3), round(found.meta / found.d, 3)) == (1.535, 1.634, 1.064)


@pytest.mark.parametrize(("d", "meta"), [(1.0, 1.0), (2.0, 1.0), (1.5, 0.3), (0.7, 1.2), (1.2, 0.0), (1.0, -0.4)])
@pytest.mark.parametrize("criterion", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize("ratings", [[0.8], [0.3, 0.7, 1.4]])
def test_it_recovers_the_observer_from_expected_counts(
    d: float, meta: float, criterion: float, ratings: list[float]
) -> None:
    found = sensitivity(ideal(d, meta, criterion, ratings), pad=False)
    assert found.d == pytest.approx(d, abs=1e-6)
    assert found.meta == pytest.approx(meta, abs=2e-3)


def test_an_observer_who_rates_by_the_evidence_has_a_ratio_of_one() -> None:
    rng = np.random.default_rng(0)
    stimulus = rng.random(20_000) < 0.5
    evidence = rng.normal(np.where(stimulus, 0.6, -0.6), 1)
    columns = {"stimulus": stimulus, "response": evidence > 0.2, "rating": np.abs(evidence - 0.2)}
    assert m_ratio(**columns, ratings=4) == pytest.approx(1, abs=0.06)
    noisy = {**columns, "rating": np.abs(evidence - 0.2 + rng.normal(0, 1.5, 20_000))}
    assert 0.2 < m_ratio(**noisy, ratings=4) < 0.8
    blind = {**columns, "rating": rng.random(20_000)}
    assert m_ratio(**blind, ratings=4) == pytest.approx(0, abs=0.1)


def test_keep_and_withdraw_are_a_scale_of_two() -> None:
    made = ideal(1.5, 0.9, 0.1, [0.6]) / 4e3
    columns = {**table(made), "rating": table(made)["rating"].astype(bool)}
    assert meta_d_prime(**columns, pad=False) == pytest.approx(0.9, abs=0.05)


@pytest.mark.slow
def test_intervals_cover_the_observer() -> None:
    rng, held, expected = np.random.default_rng(3), 0, ideal(1.4, 0.8, 0.1, [0.5, 1.2])
    for seed in range(20):
        drawn = np.stack([rng.multinomial(300, side.ravel() / side.sum()).reshape(side.shape) for side in expected])
        [made] = measure_table(table(drawn), metrics=["meta_d_prime"], seed=seed)
        assert "200 replicates" in made.reason
        held += made.low is not None and made.high is not None and made.low <= 0.8 <= made.high
    assert held >= 16


def test_scales_too_fine_or_of_one_step_are_refused() -> None:
    made: dict[str, Any] = {"stimulus": [0, 1] * 10, "response": [0, 1] * 10, "rating": list(range(20))}
    with pytest.raises(UsageError, match="20 values"):
        meta_d_prime(**made)
    with pytest.raises(DataError, match="one value"):
        meta_d_prime(**{**made, "rating": [1] * 20})
    assert levels(np.arange(20.0), 4).tolist() == np.repeat([0, 1, 2, 3], 5).tolist()


def test_without_two_kinds_or_better_than_chance_there_is_none() -> None:
    chance = table(ideal(1, 0.5, 0, [0.5]) / 1e4)
    flipped = {**chance, "response": 1 - chance["response"]}
    [meta, ratio] = measure_table(flipped, metrics=["meta_d_prime", "m_ratio"], intervals=False)
    assert meta.value is not None and ratio.value is None and "no better than chance" in ratio.reason
    [one] = measure_table({**chance, "stimulus": [1] * len(chance["rating"])}, metrics=["meta_d_prime"])
    assert one.value is None and "of one kind" in one.reason
