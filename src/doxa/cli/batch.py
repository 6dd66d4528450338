"""`doxa batch write|read`: a run by files, as OpenAI's Batch interface and `vllm run-batch` take them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doxa.cli.options import (
    Embedding,
    Entailment,
    Estimators,
    Judge,
    Knobs,
    Limit,
    MaxTokens,
    Out,
    Questions,
    Samples,
    Seed,
    System,
    Temperature,
    Template,
)

if TYPE_CHECKING:
    from doxa.cli.running import Options

batch = typer.Typer(help="Ask by files: half the price, or no network.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="only JSON on stdout")]


@batch.command()
def write(
    questions: Questions,
    model: Annotated[str, typer.Option(help="openai/NAME")],
    knob: Knobs = None,
    estimators: Estimators = "auto",
    out: Out = None,
    limit: Limit = None,
    seed: Seed = 0,
    samples: Samples = None,
    system: System = None,
    template: Template = None,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 64,
    judge: Judge = None,
    entailment: Entailment = None,
    embedding: Embedding = None,
    again: Annotated[bool, typer.Option("--again", help="also what earlier files asked and nobody answered")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the requests of a run that can be known now.

    The options are those of `doxa run`. What the answers lead to comes in the next files, once they are read.
    """
    from doxa.cli import running
    from doxa.loading import with_knobs

    options = running.Options(
        questions=questions,
        model=with_knobs(model, knob or []),
        estimators=estimators,
        out=out,
        limit=limit,
        seed=seed,
        samples=samples,
        system=system,
        template=template,
        temperature=temperature,
        max_tokens=max_tokens,
        judge=judge,
        entailment=entailment,
        embedding=embedding,
    )
    with running.quiet_logs():
        _write(options, again, as_json)


def _write(options: Options, again: bool, as_json: bool) -> None:
    from doxa.batches.writing import write
    from doxa.cli import running
    from doxa.loading import load_model

    model = load_model(options.model)
    plan = running.make_plan(options, model)
    folder = running.folder(options, plan, model)
    work = write(model, plan, folder, again=again, notes=running.notes(options))
    written = running.run_until_done(work, *filter(None, (model, plan.judge)))
    if as_json:
        counts = {"requests": written.requests, "waiting": written.waiting, "failed": written.failed}
        told = {"files": [str(path) for path in written.files], **counts, "done": written.done}
        sys.stdout.write(json.dumps(told) + "\n")
        return
    lines = [f"{path}" for path in written.files]
    if written.requests:
        lines.append(f"{written.requests:,} requests; then: doxa batch read RESULTS.jsonl --out {folder}")
    if written.waiting:
        lines.append(f"{written.waiting:,} more are in earlier files and not read back; --again asks them once more")
    if written.failed:
        lines.append(f"{written.failed:,} failed for good: no file asks them again without --again,")
        lines.append("but doxa resume does, over HTTP, and pays for what comes of it")
    if written.done:
        lines.append(f"nothing is left to ask by files; next: doxa resume {folder}")
    sys.stdout.write("\n".join(lines) + "\n")


@batch.command()
def read(
    results: Annotated[list[Path], typer.Argument(help="files of results, and of errors")],
    out: Annotated[Path, typer.Option(help="the run's folder")],
    as_json: AsJson = False,
) -> None:
    """Take results to the journal of a run.

    Calls that failed but may succeed are asked again by the next `doxa batch write`.
    """
    import asyncio
    from dataclasses import fields

    from doxa.batches.reading import read

    came = asyncio.run(read(results, out))
    if as_json:
        sys.stdout.write(json.dumps({each.name: getattr(came, each.name) for each in fields(came)}) + "\n")
        return
    lines = [f"{came.answers:,} answers"]
    if came.known:
        lines.append(f"{came.known:,} answers that were there already")
    if came.strangers:
        lines.append(f"{came.strangers:,} lines about requests of another run")
    if came.failures:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in came.failures.most_common())
        lines.append(f"failed: {kinds}")
        lines.append(f"{came.again:,} of them go into the next file, others only if they can be phrased otherwise")
    lines.append("next: the same `doxa batch write` once more")
    sys.stdout.write("\n".join(lines) + "\n")
