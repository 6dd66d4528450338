"""Intervals and comparisons."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.stats import binomtest

from doxa import metrics
from doxa.errors import DataError, UsageError
from doxa.metrics.maths import bootstrap
from doxa.metrics.maths.cells import group
from doxa.metrics.maths.intervals import clopper_pearson, delong, wilson
from doxa.metrics.maths.measuring import DEFAULT
from doxa.metrics.maths.ranking import placements
from doxa.metrics.maths.rule import rule, rules
from doxa.types import Measurement, Scale


def sample(seed: int = 0, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 21, n) / 20
    return p, rng.random(n) < p


def only(found: list[Measurement]) -> Measurement:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (48, 100), (1, 1)])
def test_intervals_of_a_share_are_scipys(k: int, n: int) -> None:
    test = binomtest(k, n)
    assert wilson(k, n) == pytest.approx(tuple(test.proportion_ci(method="wilson")), abs=1e-9)
    assert clopper_pearson(k, n) == pytest.approx(tuple(test.proportion_ci(method="exact")), abs=1e-9)


def test_the_interval_of_a_mean_is_scipys_with_a_right_and_a_wrong_answer_more() -> None:
    p, y = sample()
    n, rows = len(p), (p - y) ** 2
    more, weights = np.concatenate([rows, p**2, (1 - p) ** 2]), np.repeat([1.0, 1 / n, 1 / n], n)
    mean = np.average(more, weights=weights)
    error = np.sqrt(weights @ (more - mean) ** 2 / (n + 1) / n)
    m = only(metrics.measure(confidence=p, correct=y, metrics=["brier_loss"]))
    assert (m.low, m.high) == pytest.approx(stats.t.interval(0.95, n - 1, mean, error), abs=1e-12)
    assert (m.low, m.high) == pytest.approx(stats.t.interval(0.95, n - 1, rows.mean(), stats.sem(rows)), abs=0.01)
    assert m.reason.startswith("Student's t")


@pytest.mark.parametrize("metric", ["accuracy", "brier_loss", "overconfidence", "auroc"])
@pytest.mark.parametrize("right", [0.5, 0.9])
@pytest.mark.parametrize("n", [10, 20, 50])
def test_intervals_hold_for_few_answers(metric: str, right: float, n: int) -> None:
    """Stated confidences on a few round numbers, of a model that is rarely or often wrong."""
    rng = np.random.default_rng(3)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        y = rng.random(n) < right
        return np.where(rng.random(n) < 0.2 + 0.3 * y, 1.0, rng.choice([0.8, 0.9, 0.95], n)), y

    p, y = drawn(400_000)
    truth, hits = getattr(metrics, metric)(confidence=p, correct=y), []
    for _ in range(400):
        p, y = drawn(n)
        m = only(metrics.measure(confidence=p, correct=y, metrics=[metric]))
        if m.low is not None and m.high is not None:
            hits.append(m.low <= truth <= m.high)
    assert np.mean(hits) >= 0.92


def test_delong_equals_its_definition_by_pairs() -> None:
    p, y = sample(1, 60)
    kernel = (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])
    area = kernel.mean()
    most = area * (1 - area)  # one observation more of each kind, of the largest variance
    squares = [kernel.mean(1).var() * y.sum() + most, kernel.mean(0).var() * (~y).sum() + most]
    half = stats.norm.ppf(0.975) * np.sqrt(squares[0] / y.sum() ** 2 + squares[1] / (~y).sum() ** 2) / most
    middle = np.log(area / (1 - area))
    low, high, how = delong(group(p, y))
    assert (low, high) == pytest.approx((1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))), abs=1e-12)
    assert how == "DeLong, logit scale"


def test_delong_of_many_answers_is_the_published_one() -> None:
    p, y = sample(1, 40_000)
    cells = group(p, y)
    of_right, of_wrong = placements(cells)
    area = cells.right @ of_right / y.sum()
    variance = cells.right @ (of_right - area) ** 2 / y.sum() ** 2
    variance += cells.wrong @ (of_wrong - area) ** 2 / (~y).sum() ** 2
    half = stats.norm.ppf(0.975) * np.sqrt(variance)
    assert delong(cells)[:2] == pytest.approx((area - half, area + half), abs=0.02 * half)


def test_confidences_that_are_all_alike_rank_nothing_and_prove_little() -> None:
    low, high, _ = delong(group(np.full(20, 0.9), np.arange(20) < 10))
    assert low is not None and high is not None and low < 0.4 and high == pytest.approx(1 - low)


def test_complete_separation_is_not_certainty() -> None:
    low, high, how = delong(group(np.array([0.9] * 5 + [0.1] * 9), np.array([True] * 5 + [False] * 9)))
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 5))
    assert "pairs" in how


def test_bootstrap_replicates_follow_the_multinomial_law() -> None:
    p, y = sample(2, 40)
    drawn = bootstrap.resample({"right": lambda c: c.right, "total": lambda c: c.total}, p, y, None, 0)
    right, cells = drawn["right"], group(p, y)
    assert len(right) == bootstrap.TIMES
    assert (drawn["total"] == 40).all()
    assert right.mean(0) == pytest.approx(cells.right, abs=0.25)
    assert right.var(0) == pytest.approx(cells.right * (1 - cells.right / 40), abs=0.5)


@pytest.mark.parametrize("steps", [4, 1_000_000])
def test_the_bootstrap_error_of_a_mean_is_the_formulas(steps: int) -> None:
    rng = np.random.default_rng(5)
    p = rng.integers(0, steps, 400) / steps
    y = rng.random(400) < p
    drawn = bootstrap.resample({"accuracy": rule("accuracy").kernel}, p, y, None, 1)["accuracy"]
    assert drawn.std() == pytest.approx(np.sqrt(y.mean() * (1 - y.mean()) / 400), rel=0.08)


def test_clusters_are_drawn_whole() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    cluster = np.array([0, 0, 1, 1, 2, 2])
    right = bootstrap.resample({"right": lambda c: c.right}, p, np.ones(6, dtype=bool), cluster, 0)["right"]
    assert (right[:, 0::2] == right[:, 1::2]).all()
    assert (right.sum(1) == 6).all()


@pytest.mark.parametrize("steps", [3, 30, 1_000_000])
@pytest.mark.parametrize("clusters", [None, 25])
def test_a_replicate_is_worth_what_its_rows_are(
    steps: int, clusters: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the bootstrap computes a metric, it is that of the rows drawn, written out."""
    monkeypatch.setattr(bootstrap, "TIMES", 12)
    rng = np.random.default_rng(steps)
    p = rng.integers(0, steps + 1, 60) / steps
    y = rng.random(60) < 0.3 + 0.4 * p
    unit = np.arange(60) if clusters is None else rng.permutation(np.arange(60) % clusters)
    kernels = {name: rule(name).kernel for name in rules()}
    given = [bootstrap.arranged(p, y, unit)]
    (found,) = bootstrap.replicated(kernels, given, np.arange(unit.max() + 1), 7)
    (weights,) = bootstrap.blocks(np.arange(unit.max() + 1), 7)
    assert (weights.sum(0) == unit.max() + 1).all()
    for name in rules():
        rows = [(np.repeat(p, w[unit]), np.repeat(y, w[unit])) for w in weights.T]
        alone = [float(kernels[name](group(*pair))) for pair in rows]
        assert found[name] == pytest.approx(np.array(alone), abs=1e-7, nan_ok=True), name


def test_small_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    p, y = sample(5, 90)
    cluster = np.arange(90) // 3
    kernels = {name: rule(name).kernel for name in ("auroc", "ece", "adaptive_ece")}
    whole = bootstrap.resample(kernels, p, y, cluster, 3)
    monkeypatch.setattr(bootstrap, "BLOCK", 30 * 7)
    monkeypatch.setattr(bootstrap, "CHUNK", 100)
    pieces = bootstrap.resample(kernels, p, y, cluster, 3)
    for name in kernels:
        assert whole[name] == pytest.approx(pieces[name], abs=1e-15)


def test_copies_in_a_cluster_add_no_certainty() -> None:
    p, y = sample(3, 80)
    alone = {m.name: m for m in metrics.measure(confidence=p, correct=y)}
    copies = metrics.measure(confidence=np.repeat(p, 5), correct=np.repeat(y, 5), cluster=np.repeat(np.arange(80), 5))
    for m in copies:
        one = alone[m.name]
        assert m.high is not None and m.low is not None and one.high is not None and one.low is not None
        if m.name not in ("ece", "aurc"):
            assert m.high - m.low == pytest.approx(one.high - one.low, rel=0.15)
        assert m.reason.endswith("bootstrap over 80 units, 2000 replicates")


@pytest.mark.parametrize("names", [("a", "b"), (10, 9)])
def test_neither_order_nor_chunks_of_rows_change_an_interval(
    names: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    p, y = sample(4, 120)
    cluster = np.array([f"{names[i % 2]}{i // 4}" for i in range(120)])
    order = np.random.default_rng(0).permutation(120)
    for c in (None, cluster):
        first = metrics.measure(confidence=p, correct=y, cluster=c)
        assert first == metrics.measure(confidence=p[order], correct=y[order], cluster=None if c is None else c[order])
        assert first == metrics.measure(confidence=p, correct=y, cluster=c, seed=0)
    few = metrics.measure(confidence=p, correct=y, cluster=cluster, metrics=["aurc"])
    monkeypatch.setattr(bootstrap, "CHUNK", 500)
    assert metrics.measure(confidence=p, correct=y, cluster=cluster, metrics=["aurc"]) == few


def test_intervals_of_a_calibrated_model_contain_zero_error() -> None:
    hits = 0
    for seed in range(40):
        p, y = sample(seed, 150)
        m = only(metrics.measure(confidence=p, correct=y, metrics=["ece"], seed=seed))
        assert m.low is not None and m.high is not None and m.value is not None
        assert m.low <= m.value <= m.high
        hits += m.low == 0
    assert hits >= 36


@pytest.mark.parametrize("copies", [1, 2])
def test_calibrated_outcomes_follow_the_confidences(copies: int) -> None:
    p = np.array([0.0, 0.3, 0.8, 1.0])
    cells = group(np.repeat(p, copies), np.ones(4 * copies, dtype=bool))
    right = np.concatenate([c.right for c in bootstrap.calibrated(cells, 0)]) / copies
    assert right.shape == (bootstrap.TIMES, 4)
    assert right.mean(0) == pytest.approx(p[::-1], abs=0.05)
    assert set(right[:, [0, 3]].ravel().tolist()) == {0.0, 1.0}


def test_intervals_of_a_miscalibrated_model_contain_its_error() -> None:
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = rng.choice([0.6, 0.8, 1.0], 300)
        m = only(metrics.measure(confidence=p, correct=rng.random(300) < p - 0.3, metrics=["ece"], seed=seed))
        assert m.low is not None and m.high is not None
        hits += m.low <= 0.3 <= m.high
    assert hits >= 35


def test_missing_confidences_are_counted_and_nan_is_not_missing() -> None:
    m = metrics.measure(confidence=[0.9, None, 0.2, 0.4], correct=[True, True, None, False], missing=2, errors=3)
    assert [x.name for x in m] == list(DEFAULT)
    assert {(x.n, x.missing, x.errors) for x in m} == {(2, 3, 3)}
    assert m[0].value == 0.5
    with pytest.raises(DataError, match=r"confidence\[2\] is NaN"):
        metrics.measure(confidence=[0.9, None, float("nan")], correct=[1, 1, 0])
    frame = pl.DataFrame({"p": [0.9, None, 0.4], "y": [True, True, False]})
    assert metrics.measure(confidence=frame["p"], correct=frame["y"])[0].missing == 1


def test_without_rows_there_are_reasons_and_no_values() -> None:
    for confidence in ([], [None, None]):
        for m in metrics.measure(confidence=confidence, correct=[True] * len(confidence)):
            assert m.value is None
            assert m.reason == "no graded answer has a confidence"
            assert m.n == 0


def test_what_does_not_exist_has_a_reason() -> None:
    found = {m.name: m for m in metrics.measure(confidence=[0.5, 0.7], correct=[1, 1])}
    assert found["auroc"].value is None
    assert found["auroc"].reason == "undefined: all answers are right, or all are wrong"
    assert found["accuracy"].value == 1


def test_scores_of_another_scale_get_ranks_only() -> None:
    p, y = [12.0, -3.0, 4.0, 4.0], [1, 0, 1, 0]
    assert [m.name for m in metrics.measure(confidence=p, correct=y, scale=Scale.REAL)] == ["accuracy", "auroc", "aurc"]
    m = only(metrics.measure(confidence=p, correct=y, scale=Scale.REAL, metrics=["ece"]))
    assert m.value is None
    assert "calibrate it first" in m.reason


def test_every_metric_is_measured_with_an_interval_around_it() -> None:
    p, y = sample(6, 300)
    for m in metrics.measure(confidence=p, correct=y, metrics=rules()):
        assert m.value is not None and m.low is not None and m.high is not None, m.name
        assert m.low <= m.value <= m.high, m.name
        assert m.reason
    assert all(m.low is None for m in metrics.measure(confidence=p, correct=y, intervals=False))


def test_intervals_stay_where_the_metric_can_be() -> None:
    for m in metrics.measure(
        confidence=[1.0, 0.9, 0.6], correct=[1, 1, 0], metrics=["brier_loss", "overconfidence", "log_loss"]
    ):
        assert m.low is not None and m.high is not None
        assert m.low >= (-1 if m.name == "overconfidence" else 0)
        assert m.high <= 1 or m.name == "log_loss"


def test_one_cluster_gives_no_interval() -> None:
    for m in metrics.measure(confidence=[0.2, 0.8, 0.9], correct=[0, 1, 0], cluster=["a"] * 3):
        assert m.low is None
        assert m.reason == "no interval from one cluster"


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(UsageError, match="no 'aurock' in metrics"):
        metrics.measure(confidence=[0.5], correct=[1], metrics=["aurock"])


def test_a_share_of_none_in_clusters_is_no_certainty() -> None:
    """Ten clusters of two, all wrong: Wilson's interval of 0 out of 10, not of width 0."""
    (found,) = metrics.measure(
        confidence=[0.5] * 20, correct=[0] * 20, cluster=[i // 2 for i in range(20)], metrics=["accuracy"]
    )
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1.959963984540054**2 / (10 + 1.959963984540054**2))


def test_clusters_that_are_all_alike_count_as_one_answer_each() -> None:
    # Every cluster has one right and one wrong answer, so that no resampling of clusters changes the share.
    correct, cluster = [True, False] * 6, [number // 2 for number in range(12)]
    (found,) = metrics.measure(confidence=[0.5] * 12, correct=correct, cluster=cluster, metrics=["accuracy"])
    assert found.value == 0.5 and (found.low, found.high) == pytest.approx(wilson(3, 6))


def test_a_z_of_exactly_0_has_its_p() -> None:
    [made] = metrics.measure(confidence=[0.75] * 4, correct=[1, 1, 1, 0], metrics=["spiegelhalter_z"])
    assert made.value == 0 and "p = 1 for calibration" in made.reason
