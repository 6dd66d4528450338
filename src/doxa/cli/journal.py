"""`doxa journal verify|recover|prune`: look after the answers of a run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer

journal = typer.Typer(
    help="Check, repair or compact the journal of a run.", no_args_is_help=True, rich_markup_mode=None
)

RunFolder = Annotated[Path, typer.Argument(help="the run's folder")]
AsJson = Annotated[bool, typer.Option("--json", help="only JSON on stdout")]


@journal.command()
def verify(run: RunFolder, as_json: AsJson = False) -> None:
    """Check that every answer is whole and is found.

    The exit code is 3 when anything is damaged.
    """
    from doxa.errors import JournalError
    from doxa.upkeep import verify as check

    found = check(run)
    _tell([health._asdict() | {"path": str(health.path)} for health in found], as_json)
    if not all(health.sound for health in found):
        raise JournalError("the journal is damaged", hint=f"keep what is intact: doxa journal recover {run}")


@journal.command()
def recover(run: RunFolder, as_json: AsJson = False) -> None:
    """Rewrite damaged files from their intact answers.

    The originals are kept beside them.
    """
    from doxa.text import clean
    from doxa.upkeep import recover as repair
    from doxa.upkeep import verify as check

    stamp = time.strftime("%Y%m%d-%H%M%S")
    found = repair(run, stamp)
    kept = {health.path: health.intact for health in check(run)}
    rows: list[dict[str, object]] = [
        health._asdict()
        | {"path": str(health.path), "kept": kept.get(health.path, 0)}
        | {"original": None if health.sound else f"{health.path}.corrupt-{stamp}"}
        for health in found
    ]
    if as_json:
        _tell(rows, as_json)
        return
    for row in rows:
        original = f"; the original is {row['original']}" if row["original"] else ", nothing was damaged"
        sys.stdout.write(clean(f"{row['path']}: {row['kept']} answers kept{original}\n"))


@journal.command()
def prune(run: RunFolder, as_json: AsJson = False) -> None:
    """Merge the files of several workers into one, each answer once."""
    from doxa.upkeep import prune as compact

    _tell([{"path": str(run / "journal.sqlite"), "intact": compact(run)}], as_json)


def _tell(rows: list[dict[str, object]], as_json: bool) -> None:
    from doxa.text import clean

    if as_json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for row in rows:
        counts = [f"{row[name]} {name}" for name in ("intact", "damaged") if name in row]
        if row.get("unseen"):
            counts.append(f"{row['unseen']} whole but not to be seen")
        # SQLite quotes the text that it cannot read, and the path stands at the head of the line.
        said = shorten(clean(str(row.get("error", ""))).replace(str(row["path"]), "it"), 100, placeholder=" …")
        sys.stdout.write(clean(f"{row['path']}: {', '.join(counts)}{said and '; ' + said}\n"))
