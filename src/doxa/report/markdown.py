"""The report as Markdown tables, for pull requests and notes; no text of a model or a user is taken as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doxa.report import facts, tables
from doxa.report.facts import Json
from doxa.report.numbers import percent_interval
from doxa.text import clean

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$@-])")


def render_markdown(run: Json, metrics: Json) -> str:
    """The verdict, the agreement table, the estimators and the groups."""
    return "\n\n".join(_blocks(run, metrics)) + "\n"


def _blocks(run: Json, metrics: Json) -> Iterator[str]:
    yield f"# Does {escape(run['model']['name'])} know what it knows?"
    yield "  \n".join(escape(text) for text in facts.sentences(metrics)) or "Nothing was measured."
    accuracy = metrics["accuracy"]
    right = f"{percent_interval(accuracy)} right (n {accuracy['n']})"
    yield " · ".join(escape(text) for text in (right, *facts.subject(run)[1:], *facts.bill(run)))
    yield from (f"> {escape(text)}" for text in facts.losses(run, metrics))
    agreement = metrics.get("agreement")
    if agreement:
        yield "## Knows, says, does, and the world"
        yield table(tables.corners(agreement))
        yield from (f"**{name.replace('-', ' – ')}**\n\n{table(tables.edge(edge))}" for name, edge in _edges(agreement))
    for whose, title in (("reply", "Estimators"), ("own", "Estimators about their own answer")):
        rows = facts.about(metrics, whose)
        if rows:
            yield f"## {title}"
            yield table(tables.estimators(rows))
    for title, content in (*tables.changes(metrics), *tables.thinking(metrics)):
        yield f"## {title}"
        yield table(content)
    if metrics["groups"]:
        yield "## Where it is worst"
        yield table(tables.groups(tables.worst_first(metrics["groups"])))
    if run["command"]:
        yield f"Made by: {escape(run['command'])}"


def _edges(agreement: Json) -> Iterator[tuple[str, Json]]:
    return ((name, agreement["edges"][name]) for name in facts.EDGES if name in agreement["edges"])


def table(content: tables.Table) -> str:
    """A pipe table with its notes below.

    >>> print(table(tables.Table((("a", ""), ("b", "raw")), [[tables.Cell("x|y"), tables.Cell(".5")]])))
    | a | b raw |
    | :-- | --: |
    | x\\|y | .5 |
    """
    lines = [[escape(" ".join(filter(None, column))) for column in content.columns]]
    lines.append([":--"] + ["--:"] * (len(content.columns) - 1))
    lines += [
        [escape(cell.text) + (f"<sup>{cell.mark}</sup>" if cell.mark else "") for cell in row] for row in content.rows
    ]
    notes = [f"<sup>{mark}</sup> {escape(reason)}" for reason, mark in content.notes.items()]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n{' '.join(notes)}" if notes else body


def escape(text: str) -> str:
    r"""Text that stays text: on one line, without markup, links or HTML.

    >>> escape("**b** <script> [x](javascript:y)")
    '\\*\\*b\\*\\* &lt;script&gt; \\[x\\]\\(javascript:y\\)'
    """
    plain = " ".join(clean(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(?<=:)//", "&#47;&#47;", _MARKUP.sub(r"\\\1", plain))
