"""Numbers are written one way everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.report.numbers import compact, duration, interval, number, percent_interval, plural, spoken, why


def m(value: float | None, low: float | None = None, high: float | None = None, **more: object) -> dict[str, object]:
    counts = {"n": 96, "missing": 0, "errors": 0}
    return {"name": "auroc", "value": value, "low": low, "high": high, **counts, "better": "high", "reason": "", **more}


@pytest.mark.parametrize(
    ("measured", "text", "short"),
    [
        (m(0.79, 0.71, 0.87), ".79 ± .08", ".79±.08"),
        (m(0.79, 0.66, 0.87), ".79 [.66, .87]", ".79±.13"),
        (m(-0.12, -0.28, 0.04), "−.12 ± .16", "−.12±.16"),
        (m(1.0, 0.96, 1.0), "1.00 [.96, 1.00]", "1.00−.04"),
        (m(0.02, 0.0, 0.12), ".02 [.00, .12]", ".02+.10"),
        (m(1.0, 1.0, 1.0), "1.00 ± .00", "1.00±.00"),
        (m(0.794, 0.792, 0.796), ".794 ± .002", ".79±.00"),
        (m(1.23, 1.09, 1.37), "1.23 ± .14", "1.23±.14"),
        (m(0.5), ".50", ".50"),
        (m(None, reason="no wrong replies"), "—", "—"),
        (None, "—", "—"),
    ],
)
def test_an_interval_is_written_by_its_sides(measured: dict[str, object] | None, text: str, short: str) -> None:
    assert interval(measured) == text
    assert compact(measured) == short


@given(st.floats(-20, 20))
def test_a_number_reads_back_as_itself(value: float) -> None:
    text = number(value)
    assert abs(float(text.replace("−", "-")) - value) <= 0.005 + 1e-9
    assert "-" not in text and not text.lstrip("−").startswith("0.")


def test_text_alternatives_say_value_interval_and_counts() -> None:
    assert spoken(m(0.79, 0.71, 0.87, missing=4)) == ".79, from .71 to .87, n = 96, 4 missing"
    assert spoken(m(None, reason="no wrong replies")) == "no value (no wrong replies)"
    assert why(None, "not on [0, 1]") == "not on [0, 1]"


def test_counts_shares_and_times() -> None:
    assert (plural(1, "call"), plural(2900, "call")) == ("1 call", "2,900 calls")
    assert percent_interval(m(0.48, 0.38, 0.58)) == "48 % [38 %, 58 %]"
    assert [duration(s) for s in (0.4, 59.4, 280, 3600)] == ["0 s", "59 s", "4 m 40 s", "1 h 00 m"]
