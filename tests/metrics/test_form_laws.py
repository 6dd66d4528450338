"""Laws that every metric of other columns keeps by being in the folder."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

import doxa
from doxa import registry
from doxa.errors import DataError, UsageError
from doxa.metrics import measure_table
from doxa.metrics.maths.columns import Column, Kind
from doxa.metrics.maths.form import form, forms
from doxa.metrics.maths.rule import rule, rules

NAMES = forms()
MERGING = [name for name in NAMES if (shape := form(name)) and shape.merges]


def cell(column: Column, rng: np.random.Generator) -> Any:
    """A cell of its kind."""
    if column.among:
        return str(rng.choice(column.among))
    match column.kind:
        case Kind.TRUTH:
            return bool(rng.random() < 0.5)
        case Kind.NUMBER | Kind.SCORE:
            return int(rng.integers(1, 5))
        case Kind.SHARE:
            return int(rng.integers(0, 10)) / 10
        case Kind.LABEL:
            return str(rng.choice(list("abcdefgh")))
        case Kind.LABELS:
            return str(rng.choice(["a", "b", "c"]))
        case Kind.OPTIONS:
            return dict(zip("abcd", rng.dirichlet(np.ones(4)).tolist(), strict=True))
        case Kind.AMOUNT:
            return int(rng.integers(1, 9))


def table(name: str, n: int = 60, seed: int = 0) -> dict[str, list[Any]]:
    """Rows of every column the metric takes."""
    rng, shape = np.random.default_rng(seed), shaped(name)
    made = {key: [cell(column, rng) for _ in range(n)] for key, column in shape.columns.items()}
    if "question" in made and "human" in made:  # people's answers to a question are the same in all its rows
        made["human"] = [made["human"][made["question"].index(each)] for each in made["question"]]
    if "stimulus" in made:  # answers that are better than chance
        made["response"] = [kind ^ (rng.random() < 0.2) for kind in made["stimulus"]]
    return made


def shaped(name: str) -> Any:
    shape = form(name)
    assert shape is not None
    return shape


@pytest.mark.parametrize("name", NAMES)
def test_the_function_gives_the_value_that_is_measured_within_bounds_and_interval(name: str) -> None:
    shape, columns = shaped(name), table(name)
    [made] = measure_table(columns, metrics=[name])
    assert made.value is not None and made.n == 60, made.reason
    assert registry.find("metrics", name)(**columns) == made.value
    assert shape.bounds[0] - 1e-9 <= made.value <= shape.bounds[1] + 1e-9
    assert made.reason
    if made.low is not None and made.high is not None:
        assert shape.bounds[0] - 1e-9 <= made.low <= made.high <= shape.bounds[1] + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_plays_no_part(name: str) -> None:
    columns, order = table(name), np.random.default_rng(5).permutation(60)
    turned = {key: [values[row] for row in order] for key, values in columns.items()}
    assert measure_table(turned, metrics=[name]) == measure_table(columns, metrics=[name])


@pytest.mark.parametrize("name", MERGING)
def test_a_row_that_is_drawn_twice_counts_as_two_rows(name: str) -> None:
    columns, shape = table(name, 30), shaped(name)
    times = np.random.default_rng(3).integers(1, 4, 30)
    arrays = {key: doxa.metrics.maths.form.clean(shape, columns)[0][key] for key in columns}
    weighed = shape.statistic(**arrays)(np.stack([times.astype(float), np.ones(30)]))
    repeated = {key: np.repeat(array, times) for key, array in arrays.items()}
    alone = shape.statistic(**repeated)(np.ones((1, int(times.sum()))))
    assert weighed[0] == pytest.approx(alone[0], abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_empty_cells_are_missing_rows_unless_they_say_something(name: str) -> None:
    columns, shape = table(name), shaped(name)
    needed = [key for key, column in shape.columns.items() if not column.empty]
    for key in needed:
        columns[key] = [*columns[key][:-1], None]
    [made] = measure_table(columns, metrics=[name], intervals=False, missing=2)
    assert (made.n, made.missing) == (59, 3)
    with pytest.raises(DataError, match="row 59 has an empty cell"):
        registry.find("metrics", name)(**columns)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_are_no_value_and_a_reason(name: str) -> None:
    [made] = measure_table(table(name, 0), metrics=[name])
    assert made.value is None and made.reason == "no row is complete"


@pytest.mark.parametrize("name", NAMES)
def test_it_says_its_direction_columns_and_source(name: str) -> None:
    text, shape = registry.find("metrics", name).__doc__ or "", shaped(name)
    assert any(word in text for word in ("lower is", "higher is", "zero is best", "neither high nor low"))
    assert shape.better in ("low", "high", "zero") and ">>> " in text and shape.columns and shape.undefined is not None
    assert {*shape.columns} | {*shape.knobs} == {*registry.knobs("metrics", name)}
    assert getattr(doxa.metrics, name) is registry.find("metrics", name)


def test_metrics_are_of_one_kind_or_the_other() -> None:
    assert {*NAMES} | {*rules()} == {*registry.names("metrics")} and not {*NAMES} & {*rules()}
    with pytest.raises(UsageError, match="refusal_index is not measured from confidences"):
        rule("refusal_index")
    with pytest.raises(UsageError, match="auroc is measured from confidences"):
        measure_table({}, metrics=["auroc"])


BAD: list[tuple[Kind, Any]] = [
    (Kind.TRUTH, 0.5),
    (Kind.TRUTH, "maybe"),
    (Kind.NUMBER, "high"),
    (Kind.NUMBER, float("inf")),
    (Kind.NUMBER, True),
    (Kind.SHARE, 1.5),
    (Kind.SCORE, "much"),
    (Kind.LABEL, ["a"]),
    (Kind.OPTIONS, [1, 2]),
    (Kind.OPTIONS, {"a": "much"}),
    (Kind.OPTIONS, {"a": None}),
    (Kind.OPTIONS, "{a"),
    (Kind.AMOUNT, "soon"),
    (Kind.AMOUNT, "2024-02-30"),
]


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_cells_of_another_kind_are_refused_by_place(kind: Kind, value: Any) -> None:
    from doxa.metrics.maths.columns import cleaned

    with pytest.raises(DataError, match=r"line 2 is ") as caught:
        cleaned(Column(kind), [None, value], lambda row: f"line {row + 1}")
    assert kind.value in caught.value.hint


def test_cells_are_read_by_kind() -> None:
    from doxa.metrics.maths.columns import cleaned

    def read(kind: Kind, *values: Any) -> list[Any]:
        found: list[Any] = cleaned(Column(kind), values, str)[0].tolist()
        return found

    assert read(Kind.TRUTH, True, "yes", 0, "False", np.bool_(True)) == [True, True, False, False, True]
    assert read(Kind.SCORE, True, "no", "0.25", 3) == [1.0, 0.0, 0.25, 3.0]
    assert read(Kind.LABELS, "a", '["a", "b"]', ["c"]) == [("a",), ("a", "b"), ("c",)]
    assert read(Kind.OPTIONS, '{"b": 1, "a": null, "c": 2}') == [{"b": 1.0, "c": 2.0}]
    day, span = dt.date(2024, 2, 29), dt.timedelta(days=3, hours=4)
    assert read(Kind.AMOUNT, 3, "-2.5", "2024-02-29", "3 days, 4:00:00", span) == [3.0, -2.5, day, span, span]
    assert read(Kind.AMOUNT, "0:30:00", "1 day") == [dt.timedelta(minutes=30), dt.timedelta(days=1)]


def test_labels_are_taken_in_any_case_and_others_refused() -> None:
    from doxa.metrics.maths.columns import cleaned

    column = Column(Kind.LABEL, among=("correct", "wrong"))
    assert cleaned(column, ["Correct", "WRONG"], str)[0].tolist() == ["correct", "wrong"]
    with pytest.raises(DataError, match="cell 0 is 'right'") as caught:
        cleaned(column, ["right"], "cell {}".format)
    assert "correct, wrong" in caught.value.hint


def test_columns_and_clusters_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match="wrong has 1 rows"):
        measure_table({"refused": [True, False], "wrong": [True]}, metrics=["refusal_index"])
    with pytest.raises(DataError, match="cluster has 1 names for 2 rows"):
        measure_table({"refused": [True, False], "wrong": [True, False]}, metrics=["refusal_index"], cluster=["a"])
    with pytest.raises(UsageError, match="there is no column 'wrong'"):
        measure_table({"refused": [True]}, metrics=["refusal_index"])
    with pytest.raises(UsageError, match="has no knob 'loud'"):
        measure_table({}, metrics=["refusal_index(loud=1)"])


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    refused = rng.random(50) < 0.5
    columns = {"refused": np.repeat(refused, 8), "wrong": np.repeat(refused ^ (rng.random(50) < 0.3), 8)}
    [alone] = measure_table(columns, metrics=["refusal_index"])
    [together] = measure_table(columns, metrics=["refusal_index"], cluster=np.repeat(np.arange(50), 8))
    assert alone.value == together.value and "50 units" in together.reason
    assert None not in (alone.low, alone.high, together.low, together.high)
    assert (together.high or 0) - (together.low or 0) > 2 * ((alone.high or 0) - (alone.low or 0))
