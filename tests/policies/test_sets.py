"""Prediction sets: published values, MAPIE's sets, and the promises kept over many calibrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from populations import CALIBRATIONS, tolerated

from doxa.errors import DataError, UsageError
from doxa.policies.conformal_set import ConformalSet
from doxa.policies.maths.learnt import FEATURES, features, learn
from doxa.policies.maths.sets import adaptive, of_right
from doxa.policies.pac_set import PacSet, halves
from doxa.types import Case


@dataclass(frozen=True)
class Kind:
    """Questions with the same options: their share, the model's scores, and how often which option is right."""

    share: float
    scores: dict[str, float]
    right: dict[str | None, float]


CHOICE = (
    Kind(0.3, {"a": 0.9, "b": 0.05, "c": 0.05}, {"a": 0.93, "b": 0.04, "c": 0.03}),
    Kind(0.3, {"a": 0.6, "b": 0.3, "c": 0.1}, {"a": 0.5, "b": 0.35, "c": 0.15}),
    Kind(0.2, {"a": 0.4, "b": 0.4, "c": 0.2}, {"a": 0.3, "b": 0.5, "c": 0.2}),
    Kind(0.2, {"a": 0.7, "b": 0.2, "c": 0.1}, {"a": 0.2, "b": 0.2, "c": 0.6}),
)
SAMPLED = (
    Kind(0.6, {"x": 0.8, "y": 0.2}, {"x": 0.85, "y": 0.09, None: 0.06}),
    Kind(0.4, {"x": 0.5, "y": 0.3, "z": 0.2}, {"x": 0.5, "y": 0.28, "z": 0.15, None: 0.07}),
)
LOST = (Kind(1.0, {"x": 0.8, "y": 0.2}, {"x": 0.5, None: 0.5}),)
ALIKE = (Kind(1.0, {"a": 0.6, "b": 0.4}, {"a": 0.9, "b": 0.1}),)
WRONG = (Kind(1.0, {"a": 0.6, "b": 0.4}, {None: 1.0}),)
SETS = {"choice": CHOICE, "sampled": SAMPLED, "lost": LOST, "alike": ALIKE, "all wrong": WRONG}


def draw(kinds: tuple[Kind, ...], n: int, rng: np.random.Generator) -> tuple[list[dict[str, float]], list[str | None]]:
    drawn = [kinds[i] for i in rng.choice(len(kinds), n, p=[k.share for k in kinds])]
    return [k.scores for k in drawn], [list(k.right)[rng.choice(len(k.right), p=list(k.right.values()))] for k in drawn]


def uncovered(policy: Any, kinds: tuple[Kind, ...]) -> float | None:
    """Exact share of sets without the right answer; `None` where the policy says it has none to offer."""
    if isinstance(policy._threshold, str):
        return None
    sets = [policy.decide(Case(None, options=kind.scores)).payload for kind in kinds]
    return float(
        sum(k.share * sum(q for name, q in k.right.items() if name not in s) for k, s in zip(kinds, sets, strict=True))
    )


def simulated(policy: Any, kinds: tuple[Kind, ...], n: int, conformity: Any, times: int = CALIBRATIONS) -> np.ndarray:
    """Exact risks over many calibrations; conformities of each outcome are looked up, as questions repeat."""
    outcomes = [(k, r, k.share * q) for k in kinds for r, q in k.right.items()]
    value = np.array([of_right(conformity(k.scores), r) or 0.0 for k, r, _ in outcomes])
    there = np.array([of_right(conformity(k.scores), r) is not None for k, r, _ in outcomes])
    rows = np.random.default_rng(0).choice(len(outcomes), (times, n), p=[q for *_, q in outcomes])
    cache: dict[Any, float | None] = {}
    found = []
    for row in rows:
        fitted = policy.fit(confidence=value[row], correct=there[row])
        if fitted._threshold not in cache:
            cache[fitted._threshold] = uncovered(fitted, kinds)
        found.append(cache[fitted._threshold])
    return np.array([np.nan if risk is None else risk for risk in found])


@pytest.mark.parametrize("n, delta", [(200, 0.1), (30, 0.2), (5, 0.05), (600, 0.05)])
@pytest.mark.parametrize("name", SETS)
def test_pac_sets_break_the_promise_as_rarely_as_promised(name: str, n: int, delta: float) -> None:
    found = simulated(PacSet(risk=0.1, delta=delta), SETS[name], n, dict)
    assert (found > 0.1 + 1e-12).mean() <= tolerated(delta)


@pytest.mark.parametrize("n, risk", [(200, 0.1), (30, 0.2), (9, 0.1), (8, 0.1)])
@pytest.mark.parametrize("name, score", [("choice", "lac"), ("choice", "aps"), ("alike", "lac"), ("sampled", "lac")])
def test_conformal_sets_hold_the_risk_on_average(name: str, score: str, n: int, risk: float) -> None:
    policy = ConformalSet(risk=risk, score=score)
    kinds = SETS[name]
    least = sum(k.share * k.right.get(None, 0) for k in kinds)
    # Where it offers no set because too many right answers are lost, all options are the set, which loses those alone.
    found = np.nan_to_num(simulated(policy, kinds, n, policy.conformity), nan=least)
    assert found.mean() <= risk + 3 * found.std() / np.sqrt(CALIBRATIONS)


@pytest.mark.parametrize("name, times, n", [("choice", 200, 120), ("alike", 200, 60)])
def test_learnt_thresholds_keep_the_same_promise(name: str, times: int, n: int) -> None:
    broken, rng = 0, np.random.default_rng(3)
    for i in range(times):
        options, right = draw(SETS[name], n, rng)
        risk = uncovered(
            PacSet(risk=0.15, delta=0.1, learnt=True, seed=i).fit_options(options=options, right=right), SETS[name]
        )
        broken += risk is not None and risk > 0.15 + 1e-12
    assert broken / times <= tolerated(0.1, times)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["choice", "sampled", "alike"])
@pytest.mark.parametrize("n, risk, delta", [(120, 0.15, 0.1), (300, 0.2, 0.05), (60, 0.2, 0.2)])
def test_learnt_thresholds_keep_it_over_all_calibrations(name: str, n: int, risk: float, delta: float) -> None:
    broken, rng = 0, np.random.default_rng(4)
    for i in range(CALIBRATIONS):
        options, right = draw(SETS[name], n, rng)
        policy = PacSet(risk=risk, delta=delta, learnt=True, seed=i).fit_options(options=options, right=right)
        found = uncovered(policy, SETS[name])
        broken += found is not None and found > risk + 1e-12
    assert broken / CALIBRATIONS <= tolerated(delta)


@pytest.mark.parametrize("n, risk, delta, allowed", [(100, 0.1, 0.05, 4), (1000, 0.1, 0.05, 84), (500, 0.3, 1e-5, 107)])
def test_the_scalar_threshold_misses_as_many_as_published(n: int, risk: float, delta: float, allowed: int) -> None:
    scores = np.random.default_rng(0).permutation(n) / n
    policy = PacSet(risk=risk, delta=delta).fit(confidence=scores, correct=np.ones(n))
    assert policy._threshold == allowed / n
    assert (scores < allowed / n).sum() == allowed


class Given:
    """A classifier that has been told the probabilities."""

    _estimator_type = "classifier"

    def __init__(self, classes: int) -> None:
        self.classes_ = np.arange(classes)
        self.n_features_in_ = classes

    def fit(self, x: Any, y: Any) -> Given:
        return self

    def predict_proba(self, x: Any) -> Any:
        return np.asarray(x)

    def predict(self, x: Any) -> Any:
        return np.argmax(x, 1)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n, risk", [(40, 0.1), (99, 0.1), (250, 0.2), (21, 0.05)])
def test_sets_are_mapies(n: int, risk: float) -> None:
    from mapie.classification import SplitConformalClassifier

    rng = np.random.default_rng(n)
    p = rng.dirichlet(np.ones(4) / 2, n + 50)
    y = np.array([rng.choice(4, p=row) for row in p])
    theirs = SplitConformalClassifier(Given(4), confidence_level=1 - risk, conformity_score="lac", prefit=True)
    _, sets = theirs.conformalize(p[:n], y[:n]).predict_set(p[n:])
    options = [{str(i): float(v) for i, v in enumerate(row)} for row in p]
    ours = ConformalSet(risk=risk).fit_options(options=options[:n], right=[str(i) for i in y[:n]])
    for option, expected in zip(options[n:], sets[:, :, 0], strict=True):
        assert ours.decide(Case(None, options=option)).payload == tuple(str(i) for i in np.flatnonzero(expected))


@pytest.mark.parametrize("risk", [0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_quantiles_are_mapies_for_any_conformity(risk: float) -> None:
    from mapie.utils import _compute_classification_quantile

    rng = np.random.default_rng(1)
    for n in (20, 99, 100, 137, 500):
        scores = np.round(rng.random(n), 2)
        theirs = float(_compute_classification_quantile(scores, np.array([risk]))[0])
        assert ConformalSet(risk=risk).fit(confidence=-scores, correct=np.ones(n))._threshold == -theirs


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=6))
def test_adaptive_conformity_is_minus_the_mass_up_to_the_option(values: list[float]) -> None:
    options = {str(i): v / sum(values) for i, v in enumerate(values)}
    found = adaptive(options)
    best = max(options, key=options.__getitem__)
    assert max(found, key=found.__getitem__) is not None
    assert found[best] == max(found.values())
    assert min(found.values()) == pytest.approx(-1)


def test_a_set_of_one_is_an_answer_and_any_other_is_handed_over() -> None:
    policy = ConformalSet(risk=0.25).fit(confidence=[0.4, 0.5, 0.6], correct=[1, 1, 1])
    assert policy._threshold == 0.4
    one, two, none = (
        policy.decide(Case(0.3, options=o)) for o in ({"a": 0.9, "b": 0.1}, {"a": 0.5, "b": 0.5}, {"a": 0.3, "b": 0.2})
    )
    assert (one.act, one.payload) == ("answer", ("a",))
    assert (two.act, two.payload) == ("abstain", ("a", "b"))
    assert (none.act, none.payload, none.reason) == ("abstain", (), "0 of 2 options are likely enough")
    assert one.guarantee is not None and one.guarantee.delta is None


@pytest.mark.parametrize(
    "policy, few, enough", [(ConformalSet(risk=0.1), 8, 9), (PacSet(risk=0.1, delta=0.05), 28, 29)]
)
def test_with_too_few_questions_every_option_is_in_and_it_says_so(policy: Any, few: int, enough: int) -> None:
    decision = policy.fit(confidence=np.ones(few), correct=np.ones(few)).decide(
        Case(None, options={"a": 1.0, "b": 0.0})
    )
    assert (decision.act, decision.payload) == ("abstain", ("a", "b"))
    assert f"{few} questions" in decision.reason and f"{enough} could" in decision.reason
    assert isinstance(policy.fit(confidence=np.ones(enough), correct=np.ones(enough))._threshold, float)


@pytest.mark.parametrize("policy", [ConformalSet(risk=0.1), PacSet(risk=0.1)])
def test_where_right_answers_are_lost_too_often_no_set_will_do(policy: Any) -> None:
    options, right = [{"a": 0.7, "b": 0.3}] * 100, [None] * 30 + ["a"] * 70
    decision = policy.fit_options(options=options, right=right).decide(Case(None, options=options[0]))
    assert decision.act == "abstain" and decision.payload == ("a", "b")
    assert "30 of 100 questions" in decision.reason
    assert decision.guarantee is None


def test_several_right_options_count_by_the_likeliest() -> None:
    policy = ConformalSet(risk=0.5).fit_options(options=[{"a": 0.2, "b": 0.7, "c": 0.1}], right=[("a", "b")])
    assert policy._threshold == 0.7


def test_clusters_count_once() -> None:
    scores = np.tile([0.2, 0.9], 50)
    cluster = np.repeat(np.arange(50), 2)
    for policy in (ConformalSet(), PacSet()):
        assert policy.fit(confidence=scores, correct=np.ones(100), cluster=cluster).guarantee.n == 50


def test_halves_share_no_cluster() -> None:
    cluster = np.repeat(np.arange(21), 3)
    study, rest = halves(cluster, 63, 0)
    assert sorted(study + rest) == list(range(63))
    assert not set(cluster[study]) & set(cluster[rest])
    with pytest.raises(DataError, match="3 clusters"):
        halves(["a", "b", "c"], 3, 0)


def test_features_are_those_of_the_question_and_of_the_option() -> None:
    found = features({"a": 0.75, "b": 0.25, "c": 0.0})
    assert np.shape(found) == (3, len(FEATURES))
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(found[1], [np.log(0.25), np.log(0.75), entropy, np.log(3)])
    with pytest.raises(DataError, match="scores"):
        features({"a": -1.0})


def test_learning_finds_the_weights_that_scikit_learn_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 4)) * [1, 2, 0.5, 1]
    y = (rng.random(800) < 1 / (1 + np.exp(-(x @ [1.5, -0.5, 0.3, 0.0] - 0.5)))).astype(float)
    scaled = (x - x.mean(0)) / x.std(0)
    # Its penalty is half the sum of squares over C, as ours of weight 1.
    weights = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(scaled, y).coef_[0] / x.std(0)
    np.testing.assert_allclose(learn(x, y), weights / weights[0], atol=1e-5)


def test_a_score_that_misleads_leaves_the_threshold_scalar() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    assert learn(x, (x[:, 0] < 0).astype(float)) == (1.0, 0.0, 0.0, 0.0)


def test_a_learnt_threshold_makes_smaller_sets_where_scores_mean_different_things() -> None:
    """Over many options the same score is worth more: one threshold must be as low as the widest questions need."""
    rng, options, right = np.random.default_rng(5), [], []
    for _ in range(2000):
        sharp = rng.random() < 0.5
        p = rng.dirichlet(np.ones(4)) if sharp else rng.dirichlet(np.ones(12))
        right.append(str(rng.choice(len(p), p=p)))
        q = p**3 / (p**3).sum() if sharp else p**0.5 / (p**0.5).sum()
        options.append({str(i): float(v) for i, v in enumerate(q)})
    sizes = {}
    for learnt in (False, True):
        policy = PacSet(risk=0.1, learnt=learnt).fit_options(options=options[:1000], right=right[:1000])
        sets = [policy.decide(Case(None, options=o)).payload for o in options[1000:]]
        assert np.mean([r in s for r, s in zip(right[1000:], sets, strict=True)]) >= 0.88
        sizes[learnt] = np.mean([len(s) for s in sets])
    assert sizes[True] < sizes[False] - 0.3


def test_a_learnt_threshold_survives_json_and_needs_all_options() -> None:
    options, right = draw(CHOICE, 200, np.random.default_rng(0))
    policy = PacSet(learnt=True).fit_options(options=options, right=right)
    again = PacSet.from_json(policy.to_json())
    assert again == policy and len(policy._weights or ()) == len(FEATURES)
    with pytest.raises(UsageError, match="all options"):
        PacSet(learnt=True).fit(confidence=[0.5], correct=[1])


@pytest.mark.parametrize(
    "make", [lambda: ConformalSet(risk=0), lambda: PacSet(delta=1), lambda: ConformalSet(score="x")]
)
def test_impossible_knobs_are_refused(make: Any) -> None:
    with pytest.raises(UsageError, match="="):
        make()


def test_options_and_right_answers_must_pair() -> None:
    with pytest.raises(DataError, match="1 questions"):
        PacSet().fit_options(options=[{"a": 1.0}], right=[])
