"""`doxa list`: what there is."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

ROOMS = {
    "models": "models",
    "banks": "questions",
    "estimators": "estimators",
    "calibrators": "calibrators",
    "metrics": "metrics",
}


def list_members(
    what: Annotated[str, typer.Argument(help=f"{', '.join(ROOMS)} or papers")],
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """List the members of a room with one line each, or the published systems that doxa implements."""
    from doxa.cli.papers import papers
    from doxa.errors import UsageError

    if what == "papers":
        rows = papers()
    elif what in ROOMS:
        rows = members(ROOMS[what])
    else:
        raise UsageError(f"cannot list {what!r}", hint=f"there are: {', '.join(ROOMS)}, papers")
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        sys.stdout.write(f"{row['name']:<{width}}  {row['about']}"[:80].rstrip() + "\n")


def members(room: str) -> list[dict[str, Any]]:
    """Name, first line of the docstring, knobs and published systems of each member."""
    from doxa import registry

    rows: list[dict[str, Any]] = []
    for name in registry.names(room):
        member = registry.find(room, name)
        about = (member.__doc__ or "").strip().splitlines()[0]
        implements = list(getattr(member, "implements", ()))
        rows.append({"name": name, "about": about, "knobs": registry.knobs(room, name), "implements": implements})
    return rows
