"""`doxa merge`: the answers of several folders in one."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from doxa.merging import Merged

MOST = 8
"""So many shards are named."""


def merge(
    folders: Annotated[list[Path], typer.Argument(help="folders of shards, or of runs")],
    out: Annotated[Path, typer.Option(help="the folder that gets all answers")],
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Put the answers of several folders into one.

    The first complete answer to a request wins. The exit code is 3 when a file was damaged or left out.
    """
    from doxa.errors import Incomplete
    from doxa.merging import merge as unite
    from doxa.text import clean

    merged = unite(folders, out)
    if as_json:
        content = asdict(merged) | {
            "damaged": [health._asdict() | {"path": str(health.path)} for health in merged.damaged]
        }
        sys.stdout.write(json.dumps(content) + "\n")
    else:
        sys.stdout.write(clean(_told(merged, out)) + "\n")
    if merged.damaged or merged.left_out:
        hint = f"doxa resume {out} asks again for what is missing"
        raise Incomplete("not all that stands in these folders could be merged", hint=hint)


def _told(merged: Merged, out: Path) -> str:
    """What came of merging, a line for each thing."""
    lines = [
        f"{out}: {merged.answers:,} answers, {merged.added:,} of them new; {merged.repeated:,} were there already",
        *([f"conflicts: {merged.conflicts:,} replies differ from the one kept, the first"] * bool(merged.conflicts)),
        *(f"damaged: {health.path}, whose intact answers were taken" for health in merged.damaged),
        *(f"left out: {reason}" for reason in merged.left_out.values()),
        *([f"missing: {_shards(merged.missing)} not among these folders"] * bool(merged.missing)),
        *([f"incomplete: {_shards(merged.incomplete)} stopped early"] * bool(merged.incomplete)),
        f"go on with: doxa resume {out}",
    ]
    return "\n".join(lines)


def _shards(names: list[str]) -> str:
    """Shards in words, `shard 2/8` or `shards 2/8, 3/8`; of many the first."""
    more = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
    return f"shard{'s' * (len(names) > 1)} {', '.join(names[:MOST])}{more}"
