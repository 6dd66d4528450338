"""Markdown shows the same tables, and no text becomes markup."""

from __future__ import annotations

import re

import pytest

from doxa.report.markdown import escape, render_markdown
from report import runs

INPUTS = runs.edges_of_input()


@pytest.mark.parametrize("name", INPUTS)
def test_rows_have_as_many_cells_as_their_header(name: str) -> None:
    bars = [
        len(re.findall(r"(?<!\\)\|", line)) for line in render_markdown(*INPUTS[name]).splitlines() if line[:1] == "|"
    ]
    rules = [line.count("|") for line in render_markdown(*INPUTS[name]).splitlines() if line.startswith("| :--")]
    assert set(bars) == set(rules)


@pytest.mark.parametrize("text", runs.HOSTILE)
def test_no_text_becomes_markup(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)[`*_\[\]()|#!]|<|>|://", escaped)


def test_it_says_what_the_page_says() -> None:
    text = render_markdown(*INPUTS["usual"])
    assert text.startswith("# Does smollm2 know what it knows?\n\nIt is right 48 % of the time and says 86 %.")
    assert r"| self\_consistency | .79 ± .11 |" in text
    assert "<sup>a</sup> not on" in text
    assert "Estimators about their own answer" in text
    assert "| final\\_answer\\(budget=32\\) | .50 | .30 ± .08 |" in text
    assert r"| stated\_top\_k | .48 ± .10 | .64 ± .10 | .16 ± .10 | 21 | 6 | .006 | .44 ± .17 | 96 | 4 | 0 |" in text
