"""Knows, says, does: the table's numbers and the sentences under it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from doxa import metrics
from doxa.errors import DataError
from doxa.metrics.maths.agreement import Agreement, agree, rationality
from doxa.metrics.maths.wording import RULES, sentences

N = 120


def model(seed: int = 0, lift: float = 0.3, rational: float = 1.0) -> dict[str, Any]:
    """A model whose samples know, whose words are lifted and blind, and whose acts follow the word or not."""
    rng = np.random.default_rng(seed)
    belief = rng.integers(0, 11, N) / 10
    correct = rng.random(N) < belief
    word = np.clip(rng.integers(2, 8, N) / 10 + lift, 0, 1)
    obeys = rng.random((3, N)) < rational
    acts = [np.where(obey, word > 0.5, word <= 0.5) for obey in obeys]
    return {"belief": belief, "word": word, "deed": np.mean(acts, axis=0), "correct": correct, "acts": acts}


def test_the_numbers_of_the_table_have_their_definitions() -> None:
    data = model(rational=0.8)
    table = agree(**data)
    for name, pair in {
        "knows_says": ("belief", "word"),
        "knows_does": ("belief", "deed"),
        "says_does": ("word", "deed"),
    }.items():
        m = getattr(table, name)
        assert m.value == pytest.approx(spearmanr(data[pair[0]], data[pair[1]]).statistic, abs=1e-12)
        assert m.low < m.value < m.high
    assert table.gap.value == pytest.approx(np.abs(data["belief"] - data["word"]).mean())
    acts = np.column_stack(data["acts"])
    fits = np.where(data["word"][:, None] == 0.5, True, acts == (data["word"] > 0.5)[:, None])
    assert table.rational.value == pytest.approx(fits.mean())
    assert table.knows.auroc.value == pytest.approx(metrics.auroc(confidence=data["belief"], correct=data["correct"]))
    assert table.says.ece.value == pytest.approx(metrics.ece(confidence=data["word"], correct=data["correct"]))
    assert table.edge.difference == pytest.approx(table.knows.auroc.value - table.says.auroc.value)  # type: ignore[operator]
    assert table.accuracy.value == pytest.approx(data["correct"].mean())


def test_the_intervals_of_rank_agreement_are_as_wide_as_theory_says() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(400).round(2), rng.random(400).round(2)
    m = agree(belief=a, word=b, deed=b, correct=rng.random(400) < a).knows_says
    assert m.low is not None and m.high is not None
    assert m.high - m.low == pytest.approx(2 * 1.96 / np.sqrt(399), rel=0.1)


@pytest.mark.parametrize(
    ("word", "act", "fits"),
    [
        (0.9, 1, 1),
        (0.9, 0, 0),
        (0.1, 1, 0),
        (0.1, 0, 1),
        (0.5, 1, 1),
        (0.5, 0, 1),
        (0.9, 2 / 3, 2 / 3),
        (0.1, 2 / 3, 1 / 3),
    ],
)
def test_an_act_is_rational_if_it_backs_the_reply_exactly_when_the_word_exceeds_the_threshold(
    word: float, act: float, fits: float
) -> None:
    assert rationality(np.array([word]), np.array([[act]]), 0.5)[0, 0] == pytest.approx(fits)


def test_dearer_errors_raise_the_threshold() -> None:
    data = {**model(), "word": np.full(N, 0.7), "acts": [np.ones(N, dtype=bool)]}
    assert agree(**data, cost=1).rational.value == 1
    assert agree(**data, cost=4).rational.value == 0


def test_missing_values_are_dropped_pair_by_pair() -> None:
    data = model()
    data["belief"] = [None, None, *data["belief"][2:]]
    data["deed"] = [None, *data["deed"][1:]]
    data["acts"] = [[None, *act[1:]] for act in data["acts"]]
    table = agree(**data)
    assert (table.knows_says.n, table.knows_says.missing) == (N - 2, 2)
    assert (table.says_does.n, table.says_does.missing) == (N - 1, 1)
    assert (table.rational.n, table.knows.auroc.n, table.says.auroc.n, table.edge.n) == (N - 1, N - 2, N, N - 2)


def test_the_order_of_rows_changes_nothing() -> None:
    data, order = model(rational=0.7), np.random.default_rng(5).permutation(N)
    cluster = np.array([f"c{i // 2}" for i in range(N)])
    for c in (None, cluster):
        shuffled = {name: value[order] for name, value in data.items() if name != "acts"}
        shuffled["acts"] = [act[order] for act in data["acts"]]
        assert agree(**data, cluster=c) == agree(**shuffled, cluster=None if c is None else c[order])


def test_what_never_varies_has_no_rank_agreement() -> None:
    table = agree(**{**model(), "word": np.full(N, 0.9)})
    assert table.knows_says.value is None
    assert table.knows_says.reason == "undefined: belief or word never varies"
    empty = agree(**{**model(), "deed": [None] * N, "acts": ()})
    assert empty.rational.value is None
    assert empty.rational.reason == "no question has both"


def test_bad_values_are_refused_under_their_name() -> None:
    with pytest.raises(DataError, match=r"word\[3\] is 2"):
        agree(**{**model(), "word": [0.5] * 3 + [2.0] + [0.5] * (N - 4)})
    with pytest.raises(DataError, match=r"belief has 5 values"):
        agree(**{**model(), "belief": [0.5] * 5})


def test_a_model_that_knows_and_overstates_is_told_so() -> None:
    table = agree(**model())
    right, said = table.accuracy.value, table.says.mean.value
    assert right is not None and said is not None
    assert sentences(table) == [
        f"It is right {round(100 * right)} % of the time and says {round(100 * said)} %.",
        "It knows more than it says: believe its samples, not its words.",
        "It acts on its word in 100 % of its acts.",
    ]


def test_a_model_that_bets_against_its_word_is_told_so() -> None:
    assert any(s.startswith("It acts against its word: only") for s in sentences(agree(**model(rational=0.1))))


def test_a_model_whose_words_know_more_is_told_so() -> None:
    data = model(lift=0.0)
    data["belief"], data["word"] = data["word"], data["belief"]
    assert "It says more than its samples show: believe its words, not its samples." in sentences(agree(**data))


def test_an_understating_model_is_told_so() -> None:
    data = model()
    data["word"] = data["belief"] * 0.4
    assert " and says only " in sentences(agree(**data))[0]


def test_nothing_is_said_beyond_the_intervals() -> None:
    p, half = np.repeat(np.arange(20) / 20, 2), np.tile([True, False], 20)
    blind = agree(belief=p, word=1 - p, deed=p, acts=[half], correct=half)
    said = " ".join(sentences(blind))
    assert "cannot tell from none" in said
    assert "neither its samples nor its words" in said
    assert "It acts" not in said
    same = agree(belief=p, word=p, deed=p, correct=p > 0.6)
    assert "Whether its samples or its words know more, 40 questions cannot tell." in sentences(same)


def test_few_questions_allow_no_sentence() -> None:
    data = {name: value[:10] for name, value in model().items() if name != "acts"}
    assert sentences(agree(**data)) == ["10 questions are too few to tell anything."]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_silent_without_its_numbers(rule: Any) -> None:
    table = agree(**model())
    nothing = replace(table.accuracy, value=None, low=None, high=None)
    edge = replace(table.edge, difference=None, low=None, high=None)
    empty: Agreement = replace(table, accuracy=nothing, rational=nothing, edge=edge)
    assert rule(empty) is None
