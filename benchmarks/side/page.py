"""The page of the benchmarks, from what the benchmarks wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from side.measured import Result, Row, Table, Target

Found = Mapping[str, Any]


def cell(value: object) -> str:
    """A text as it may stand in a cell of a table."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def number(value: float) -> str:
    """Three digits that mean something, without exponents between a thousandth and a million."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; columns but the first and those of text stand to the right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *([cell(v) for v in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def result(data: Mapping[str, Any]) -> Result:
    """What was found, read back from JSON."""
    tables = [Table(**{**t, "rows": tuple(Row(**row) for row in t["rows"])}) for t in data["tables"]]
    return Result(**{**data, "tables": tuple(tables), "targets": tuple(Target(**t) for t in data["targets"])})


def shown(table: Table) -> str:
    """A table of sides: median, spread, how much in a second, ratio, and what is to be known of a side."""
    noted = any(row.note for row in table.rows)
    head = ["side", f"median, {table.unit}", "min – max", *([f"{table.of} per {table.unit}"] if table.of else [])]
    head += ["ratio to doxa", *(["note"] if noted else [])]
    rows = []
    for i, row in enumerate(table.rows):
        ratio = table.ratio(row.side)
        spread = f"{number(min(row.values))} – {number(max(row.values))}" if len(row.values) > 1 else "one value"
        speed = [number(row.work / row.median) if row.median else "–"] if table.of else []
        last = "1" if i == 0 else "–" if ratio is None else number(ratio)
        rows.append([row.side, number(row.median), spread, *speed, last, *([row.note] if noted else [])])
    return f"**{cell(table.title)}**\n\n{grid(head, rows)}"


def targets(promised: Sequence[Target]) -> str:
    words = {True: "met", False: "missed", None: "not measured"}
    rows = [[t.what, t.bound, "–" if t.value is None else number(t.value), words[t.met]] for t in promised]
    return grid(["promised", "target", "measured", ""], rows)


def section(found: Found) -> str:
    """One benchmark."""
    title, _, text = found["about"].strip().partition("\n")
    parts = [f"## {title.strip().rstrip('.')}", text.strip(), f"```console\n$ {found['command']}\n```"]
    if found["broken"]:
        parts.append(f"This benchmark could not be run: {cell(found['broken'])}.")
    one = result(found["result"])
    parts += [shown(table) for table in one.tables]
    parts += [targets(one.targets)] if one.targets else []
    parts += ["\n".join(f"- {cell(note)}" for note in one.notes)]
    parts += ["Not measured:\n\n" + "\n".join(f"- {cell(each)}" for each in one.failures)] if one.failures else []
    parts += ["Versions: " + "; ".join(f"{cell(k)}: {cell(v)}" for k, v in one.versions.items()) + "."] * bool(
        one.versions
    )
    parts += [f"Took {found['minutes']:.1f} minutes."]
    return "\n\n".join(part for part in parts if part)


def losses(all_found: Sequence[Found]) -> str:
    """The section on where doxa loses."""
    lines = []
    for found in all_found:
        title = found["about"].strip().split("\n")[0].rstrip(".")
        lines += [f"- *{cell(title)}.* {cell(sentence)}" for sentence in result(found["result"]).losses()]
    return "## Where doxa loses\n\n" + ("\n".join(lines) or "In nothing that was measured here.")


INTRODUCTION = """
`make bench` wrote this page. Both sides of every comparison did the same work in one run, taking turns, each in a
process and an environment of its own; a value is wall-clock time unless its table says otherwise, and the spread is
over rounds. A ratio is the median of a side, for one unit of work, over that of doxa: above 1, doxa is ahead.
"""


def page(machine: Mapping[str, str], date: str, all_found: Sequence[Found]) -> str:
    """The whole page."""
    promised = [target for found in all_found for target in result(found["result"]).targets]
    met = sum(target.met is True for target in promised)
    failed = [each for found in all_found for each in (*found["result"]["failures"], found["broken"]) if each]
    parts = [
        "# Benchmarks",
        "Small sizes, from a trial: these figures say nothing." if any(found["quick"] for found in all_found) else "",
        INTRODUCTION.strip(),
        grid(["", ""], [["Date", date], *machine.items()]).replace("--:", "---"),
        f"{met} of {len(promised)} targets are met.",
        f"{len(failed)} sides or benchmarks could not be measured; each is named where it belongs." if failed else "",
        losses(all_found),
        *(section(found) for found in all_found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
