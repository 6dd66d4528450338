"""`doxa resume`: go on with a run that stopped early."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer


def resume(
    run: Annotated[Path, typer.Argument(help="the run's folder")],
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Go on with a run that stopped early.

    The same as its own command once more, without its limits of calls and cost.
    """
    from doxa.cli import running
    from doxa.engines.parts.filling import Shard
    from doxa.errors import UsageError
    from doxa.runs import Run

    info = Run.open(run).info
    told, shard = info.get("options") or {}, info.get("shard")
    known = {field.name for field in fields(running.Options)}
    if not {"questions", "model"} <= set(told) <= known:
        raise UsageError(f"{run} does not say how it was started", hint="repeat its `doxa run` command with --out")
    folder = Path(os.path.abspath(run))  # the shard in which one stands is ".", without a name or a parent
    if shard and folder.name != Shard.read(shard).folder:
        hint = f"give it the name {Shard.read(shard).folder} again, or merge it"
        raise UsageError(f"{run} is shard {shard} under another name", hint=hint)
    options = running.Options(**{**told, "out": str(folder.parent if shard else run)})
    _check_address(run, info, options.model)
    with running.quiet_logs():
        # The limit that stopped the run would stop it at once again.
        running.finish(running.execute(options, limited=False, shard=shard), as_json=as_json)


def _check_address(run: Path, info: dict[str, Any], model: str) -> None:
    """Raise `UsageError` where the environment names another server than when the run began: its answers are others."""
    from doxa.errors import UsageError
    from doxa.loading import load_model

    asked = info.get("model", {}).get("base_url")
    if asked and model.startswith("openai/") and (now := load_model(model).base_url) != asked:
        raise UsageError(f"{run} asked {asked}, not {now}", hint=f"set OPENAI_BASE_URL={asked}")
