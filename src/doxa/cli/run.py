"""`doxa run`: questions, a model, estimators → a run with its report."""

from __future__ import annotations

import json
import sys
from typing import Annotated

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

MaxCost = Annotated[float | None, typer.Option(min=0, help="stop once so many USD are spent (needs prices.yaml)")]
Decoding = Annotated[
    str | None, typer.Option(help="of the reply: cautious, with local models and a temperature above 0")
]


def run(
    questions: Questions,
    model: Annotated[str, typer.Option(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")],
    knob: Knobs = None,
    estimators: Estimators = "auto",
    out: Out = None,
    limit: Limit = None,
    seed: Seed = 0,
    samples: Samples = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="stop after so many paid calls")] = None,
    max_cost: MaxCost = None,
    system: System = None,
    template: Template = None,
    temperature: Temperature = 0.0,
    decoding: Decoding = None,
    max_tokens: MaxTokens = 64,
    judge: Judge = None,
    entailment: Entailment = None,
    embedding: Embedding = None,
    engine: Annotated[str, typer.Option(help="who asks: local, processes or ray; see docs/engines.md")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="of the engine: processes or actors [2]")] = None,
    shard: Annotated[str | None, typer.Option(help="2/8: only the second of eight parts, to be merged")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count calls, tokens and cost; ask nothing")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="start anew instead of resuming")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Ask questions, grade the replies, measure the confidence.

    The same command again resumes: what was answered is never asked twice.
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
        max_calls=max_calls,
        max_cost=max_cost,
        system=system,
        template=template,
        temperature=temperature,
        decoding=decoding,
        max_tokens=max_tokens,
        judge=judge,
        entailment=entailment,
        embedding=embedding,
        engine=engine,
        workers=workers,
    )
    if dry_run:
        counted = running.dry_run(options, shard)
        sys.stdout.write((json.dumps(counted) if as_json else running.told(counted)) + "\n")
        return
    with running.quiet_logs():
        running.finish(running.execute(options, fresh=fresh, shard=shard), as_json=as_json)
