"""Figures show the numbers they are given, and say them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.report import corners, figures
from doxa.report.numbers import number
from doxa.report.svg import Panel, el, fit
from report import runs

METRICS = runs.metrics()


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def of_class(svg: str, name: str) -> list[ET.Element]:
    return [e for e in parsed(svg).iter() if name in (e.get("class") or "").split()]


def test_an_edge_is_as_thick_as_the_agreement_and_its_interval() -> None:
    agreement = METRICS["agreement"]
    edges = {a.get("href"): a for a in parsed(corners.corners(agreement)).iter("a")}
    assert set(edges) == {f"#{name}" for name in agreement["edges"]}
    widths = {layer.get("class"): float(layer.get("stroke-width") or 0) for layer in edges["#knows-world"].iter("line")}
    auroc = agreement["edges"]["knows-world"]["auroc"]
    for layer, key in (("edge low", "low"), ("edge value", "value"), ("edge high", "high")):
        assert widths[layer] == pytest.approx(22 * (2 * auroc[key] - 1), abs=0.01)


def test_agreement_turned_around_is_marked_and_has_no_core_when_it_may_be_none() -> None:
    found = of_class(corners.corners(METRICS["agreement"]), "against")
    assert [e.get("class") for e in found] == ["edge high against", "edge value against"]
    assert float(found[1].get("stroke-width") or 0) == pytest.approx(22 * 0.12)


def test_a_reliability_diagram_places_every_bin_and_says_it() -> None:
    bins = [b for b in METRICS["estimators"][0]["reliability"]["raw"] if b["n"]]
    svg = figures.reliability("x", METRICS["estimators"][0]["reliability"]["raw"])
    dots = of_class(svg, "dot")
    assert [float(d.get("cx") or 0) for d in dots] == [
        pytest.approx(44 + 296 * b["confidence"], abs=0.01) for b in bins
    ]
    assert [float(d.get("cy") or 0) for d in dots] == [pytest.approx(280 - 250 * b["accuracy"], abs=0.01) for b in bins]
    assert [e.text for e in of_class(svg, "tiny")] == [str(b["n"]) for b in bins]
    words = parsed(svg).findtext("desc") or ""
    assert all(f"right {number(b['accuracy'])}" in words and f"n = {b['n']}" in words for b in bins)


def test_a_scatter_counts_every_question_once() -> None:
    points = [[0.1, 0.2, True]] * 4 + [[0.1, 0.2, False]] + [[0.9, 1.0, True]]
    svg = corners.scatter("knows-says", {"rank": runs.measurement("rank", 0.2), "points": points})
    right, wrong = of_class(svg, "right"), of_class(svg, "wrong")
    assert (len(right), len(wrong)) == (2, 1)
    areas = sorted(float(c.get("r") or 0) ** 2 for c in right)
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.02)
    assert (parsed(svg).findtext("desc") or "").startswith("6 questions, 5 of them answered right")


def test_a_dot_plot_marks_its_rows_and_says_them() -> None:
    rows = [figures.Dot("a", runs.measurement("auroc", 0.8), "11.0", True), figures.Dot("b", None, "1.0")]
    svg = figures.dots("t", rows, figures.Scale("AUROC", "calls", 0.4, 1.0, 0.5, {0.5: ".5"}), 720)
    assert [e.get("class") for e in of_class(svg, "pip")] == ["pip marked"]
    assert (
        parsed(svg).findtext("desc")
        == "a: .80, from .72 to .88, n = 96, 4 missing, calls 11.0 (marked); b: no value (not measured), calls 1.0"
    )


def test_a_curve_with_many_points_is_thinned_and_keeps_its_ends() -> None:
    n = 100_000
    curve = {key: [i / n for i in range(1, n + 1)] for key in ("coverage", "risk", "low", "high")}
    thin = figures.thinned(curve)
    assert len(thin["risk"]) == 200
    assert (thin["coverage"][0], thin["coverage"][-1]) == (1 / n, 1.0)
    assert [round(p["coverage"], 2) for p in figures.steps_of(curve)] == [1.0, 0.8, 0.6, 0.4, 0.2]


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_a_panel_keeps_order_and_never_leaves_itself(a: float, b: float) -> None:
    panel = Panel(10, 20, 100, 50)
    low, high = sorted((a, b))
    assert 10 <= panel.x(low) <= panel.x(high) <= 110
    assert 70 >= panel.y(low) >= panel.y(high) >= 20


@given(st.text())
def test_no_text_leaves_its_element_or_its_attribute(text: str) -> None:
    element = parsed(el("g", figures.label(0, 0, text), class_=text))
    assert [child.tag for child in element.iter()] == ["g", "text"]
    assert set(element.attrib) == {"class"}


def test_a_name_that_is_too_long_is_cut_on_one_line() -> None:
    assert fit("self_consistency", 200, 12) == "self_consistency"
    assert fit("one\ntwo " * 9, 60, 10) == "one two o…"


@pytest.mark.parametrize("name", runs.edges_of_input())
def test_every_figure_is_xml_with_a_text_alternative(name: str) -> None:
    _, metrics = runs.edges_of_input()[name]
    drawn: list[Any] = [corners.corners(metrics["agreement"])] if metrics["agreement"] else []
    for row in metrics["estimators"]:
        drawn += [
            figures.reliability(row["name"], row["reliability"]["calibrated"] or []),
            figures.risk_coverage(row["name"], row),
        ]
    for svg in drawn:
        root = parsed(svg)
        assert root.get("role") == "img" and [child.tag for child in root][:2] == ["title", "desc"]
        assert root.findtext("title") and root.findtext("desc")
        assert not re.search(r"\b(nan|inf|None)\b", svg)
    assert bool(drawn) is bool(metrics["estimators"])
