"""`doxa list`: what there is."""

from __future__ import annotations

import inspect
import json
import sys
import textwrap
from typing import Annotated, Any

import typer

ROOMS = {
    "models": "models",
    "banks": "questions",
    "services": "services",
    "estimators": "estimators",
    "calibrators": "calibrators",
    "policies": "policies",
    "metrics": "metrics",
    "recipes": "training",
}


def list_members(
    what: Annotated[str, typer.Argument(help=f"{', '.join(ROOMS)} or papers")],
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """List what there is: models, banks, estimators, papers, …"""
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
    width = max((len(row["name"]) for row in rows), default=0) + 2
    for row in rows:
        text = f"{row['name']:<{width}}{row['about']}"
        lines = textwrap.wrap(text, 80, subsequent_indent=" " * width, break_on_hyphens=False)
        sys.stdout.write("\n".join(lines) + "\n")


def members(room: str) -> list[dict[str, Any]]:
    """Name, first paragraph of the docstring, knobs and published systems of each member."""
    from doxa import registry
    from doxa.cli.papers import facts

    rows: list[dict[str, Any]] = []
    for name in registry.names(room):
        member = registry.find(room, name)
        about = " ".join(inspect.cleandoc(member.__doc__ or "").partition("\n\n")[0].split())
        implements = list(getattr(facts(member), "implements", ()))
        rows.append({"name": name, "about": about, "knobs": registry.knobs(room, name), "implements": implements})
        for target, told in getattr(member, "targets", {}).items():
            rows.append({"name": f"{name}/{target}", "about": told, "knobs": [], "implements": []})
    return rows
