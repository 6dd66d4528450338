"""The summary for a terminal: plain text, no line wider than asked for, whatever the texts contain."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from itertools import accumulate, takewhile

from doxa.report import facts
from doxa.report.facts import Json
from doxa.report.numbers import M, chance, compact, count, number, plural
from doxa.text import clean

_COLUMNS = (19, 6, 11, 17)
"""Widths of the corner's name and of the columns knows, says and does; world takes the rest."""


def summary(run: Json, metrics: Json, width: int = 80, *, page: str = "", then: str = "") -> str:
    """What a run found, on one screen: the agreement table, the sentences, the estimators, what is missing.

    `page` is where the report is and `then` the next command; both are shown in the last line if given.
    """
    blocks = [
        _headline(" · ".join(facts.subject(run)), " · ".join(facts.bill(run)), width),
        _agreement(metrics.get("agreement")),
        [part for text in facts.sentences(metrics) for part in wrap(text, width)],
        _estimators(metrics, width),
        _changes(metrics),
        _thinking(metrics),
        [part for text in facts.losses(run, metrics) for part in wrap(f"! {text}", width)],
        _last(page, then, width),
    ]
    return "\n\n".join("\n".join(clip(text, width) for text in block) for block in blocks if block)


def breadth(text: str) -> int:
    """How wide a text is on a terminal, at most: terminals differ on joined emoji, so each part counts.

    >>> breadth("ja"), breadth("日本"), breadth("e\u0301")
    (2, 4, 1)
    """
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if character == "\ufe0f":  # asks for the wide form of the character before it
        return 1
    if character in "\u200c\u200d" or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    # What this version of Unicode does not know yet is most likely a new emoji.
    unknown = unicodedata.category(character) == "Cn"
    return 2 if unknown or unicodedata.east_asian_width(character) in "WF" else 1


def clip(text: str, width: int) -> str:
    """One line, cleaned, cut with an ellipsis where it is wider than `width` cells.

    >>> clip("日本語の質問", 7)
    '日本語…'
    """
    text = " ".join(clean(text).split("\n")).expandtabs(1).rstrip()
    if breadth(text) <= width:
        return text
    room = sum(1 for _ in takewhile(lambda used: used < width, accumulate(map(_cell, text))))
    return text[:room].rstrip() + "…"


def wrap(text: str, width: int) -> list[str]:
    """Lines of whole words at most `width` cells wide.

    >>> wrap("It is right 48 % of the time.", 16)
    ['It is right 48 %', 'of the time.']
    """
    lines = [""]
    for word in clean(text).split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if breadth(longer) <= width else [*lines, word]
    return [clip(text, width) for text in lines if text]


def _headline(left: str, right: str, width: int) -> list[str]:
    left, right = clip(left, width), clip(right, width)
    gap = width - breadth(left) - breadth(right)
    return [left + " " * gap + right] if gap >= 3 else [left, right]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells in columns; one that does not fit pushes the rest to the right rather than being cut."""
    padded = (
        clean(cell) + " " * max(1, size - breadth(clean(cell))) for cell, size in zip(cells, widths, strict=False)
    )
    return ("".join(padded) + "".join(cells[len(widths) :])).rstrip()


def _agreement(agreement: Json | None) -> list[str]:
    """The table of knows, says, does and world; ± is the wider side of each interval."""
    if agreement is None:
        return []
    edges, labels = agreement["edges"], agreement["corners"]
    pair = {name: f"ρ {compact((edges.get(name) or {}).get('rank'))}" for name in ("knows-says", "knows-does")}
    deed = edges.get("says-does") or {}
    acts = f"rational {compact(deed['rational'])}" if "rational" in deed else f"ρ {compact(deed.get('rank'))}"
    rows = [
        ("", "knows", "says", "does", "world"),
        (_corner("knows", labels), "—", pair["knows-says"], pair["knows-does"], _world(edges.get("knows-world"))),
        (_corner("says", labels), "", "—", acts, _world(edges.get("says-world"))),
        (_corner("does", labels), "", "", "—", _world(edges.get("does-world"))),
    ]
    note = f"{plural(agreement['n'], 'question')} with all three; ±, − or + is the wider side of the 95 % interval"
    return [*(_row(row, _COLUMNS) for row in rows), note]


def _corner(name: str, labels: Json) -> str:
    return clip(f"{name:<5} ({labels[name]['label']})", _COLUMNS[0] - 1)


def _world(edge: Json | None) -> str:
    edge = edge or {}
    parts: list[tuple[str, M | None]] = [("AUROC", edge.get("auroc")), ("ECE", edge.get("ece"))]
    return " ".join(f"{name} {compact(m)}" for name, m in parts)


def _estimators(metrics: Json, width: int) -> list[str]:
    """All estimators, those about the reply first, and what those rest on that could rest on something else."""
    widths = (31, 10, 10, 10)
    head = ("AUROC", "AURC", "Brier cal", f"{'calls':>7}{'tokens':>7}{'n':>5}")
    lines: list[str] = []
    for whose, title in (("reply", "about the reply"), ("own", "about an answer of their own")):
        rows = facts.about(metrics, whose)
        lines += [_row((title, *head), widths)] if rows else []
        for row in rows:
            measured = (row["raw"].get("auroc"), row["raw"].get("aurc"), (row["calibrated"] or {}).get("brier_loss"))
            usage = row["usage"]
            bill = f"{count(usage['calls']):>7}{count(facts.total_tokens(usage)):>7}{count(row['n']):>5}"
            lines.append(_row((clip(row["name"], widths[0] - 1), *map(compact, measured), bill), widths))
    based: dict[str, list[str]] = {}
    for row in metrics["estimators"]:
        based.setdefault(facts.rests_on(row), []).append(row["name"])
    none = (row for row in metrics["estimators"] if not row["n"] and row["reasons"])
    lines += [
        part for row in none for part in wrap(f"no number from {row['name']}: {'; '.join(row['reasons'])}", width)
    ]
    silent: dict[str, list[str]] = {}
    for row in metrics["estimators"]:
        auroc = row["raw"].get("auroc")
        if row["n"] and auroc is not None and auroc["value"] is None:
            silent.setdefault(auroc["reason"], []).append(row["name"])
    for reason, names in silent.items():
        whose = "any of them" if len(names) == len(metrics["estimators"]) else ", ".join(names)
        lines += wrap(f"no AUROC of {whose}: {reason}", width)
    notes = (f"resting on {what}: {', '.join(names)}" for what, names in based.items() if what)
    return [*lines, *(part for note in notes for part in wrap(note, width))]


def _changes(metrics: Json) -> list[str]:
    """What the methods' own answers change, a line each."""
    changed, lines = facts.changed(metrics), list[str]()
    widths, head = (31, 9, 9, 7, 6, 6, 9), ("reply", "own", "gained", "lost", "p", "κ", "  n")
    if rows := changed.get("answers"):
        lines.append(_row(("what own answers change", *head), widths))
    for row in rows or []:
        turned = (count(row["wrong_right"]), count(row["right_wrong"]), chance((row["mcnemar"] or {}).get("value")))
        measured = (compact(row["reply"]), compact(row["own"]), *turned, compact(row["kappa"]))
        lines.append(_row((clip(row["name"], widths[0] - 1), *measured, f"{count(row['n']):>3}"), widths))
    for key, title, names in (
        ("shifts", "surer afterwards", ("right", "wrong")),
        ("kept", "share right of the replies", ("kept", "changed")),
    ):
        if rows := changed.get(key):
            lines.append(_row((title, *names), (31, 18)))
        for row in rows or []:
            cells = (f"{compact(row[name])} (n {count(row[name]['n'])})" for name in names)
            lines.append(_row((clip(row["name"], widths[0] - 1), *cells), (31, 18)))
    return lines


_THINKING = {
    "budgets": (
        ("what thinking buys", "from", "answered", "right", "U r=0", "U r=1", "U r=20", "  n"),
        (25, 5, 9, 8, 9, 9, 12),
    ),
    "early": (("early answers", "right", "changed", "same unaided", "unreadable", "  n"), (31, 10, 10, 13, 11)),
    "between": (("against fewest chains", "gain", "p", "broken", "solved", "d", "  n"), (31, 9, 7, 9, 9, 9)),
}
"""Heads and widths of the tables of the section `thinking`."""


def _thinking(metrics: Json) -> list[str]:
    """What thinking buys and whether it was needed, a line each."""
    cells: dict[str, Callable[[Json], tuple[str, ...]]] = {
        "budgets": lambda row: (
            number(row["threshold"]),
            *(compact(row[key]) for key in ("answered", "accuracy", "utility_0", "utility_1", "utility_20")),
        ),
        "early": lambda row: (
            *(compact(row[key]) for key in ("accuracy", "needed", "unaided")),
            count(row["unreadable"]),
        ),
        "between": lambda row: (
            compact(row["difference"]),
            chance((row["mcnemar"] or {}).get("value")),
            *(compact(row[key]) for key in ("broken", "solved", "effect")),
        ),
    }
    lines = list[str]()
    for key, rows in facts.thought(metrics).items():
        head, widths = _THINKING[key]
        lines.append(_row(head, widths))
        for row in rows:
            name = clip(row["name"], widths[0] - 1)
            lines.append(_row((name, *cells[key](row), f"{count(row['n']):>3}"), widths))
    return lines


def _last(page: str, then: str, width: int) -> list[str]:
    left, right = f"→ {page}" if page else "", f"next: {then}" if then else ""
    joined = "   ".join(filter(None, (left, right)))
    return list(filter(None, [joined] if breadth(joined) <= width else [left, right]))
