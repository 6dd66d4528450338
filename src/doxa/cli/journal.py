"""`doxa journal verify|recover|prune`: look after the answers of a run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
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
    from doxa.upkeep import recover as repair

    found = repair(run, time.strftime("%Y%m%d-%H%M%S"))
    _tell([health._asdict() | {"path": str(health.path)} for health in found], as_json)


@journal.command()
def prune(run: RunFolder, as_json: AsJson = False) -> None:
    """Merge the files of several workers into one, each answer once."""
    from doxa.upkeep import prune as compact

    _tell([{"path": str(run / "journal.sqlite"), "intact": compact(run)}], as_json)


def _tell(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for row in rows:
        counts = [f"{row[name]} {name}" for name in ("intact", "damaged") if name in row]
        if row.get("unseen"):
            counts.append(f"{row['unseen']} whole but not to be seen")
        error = f"; {row['error']}" if row.get("error") else ""
        sys.stdout.write(f"{row['path']}: {', '.join(counts)}{error}\n")
