"""`doxa run`: questions, a model, estimators → a run with its report."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

Knobs = Annotated[list[str] | None, typer.Option("-M", metavar="KEY=VALUE", help="a knob of the model: int8=true")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="stop once so many USD are spent (needs prices.yaml)")]
Decoding = Annotated[
    str | None, typer.Option(help="of the reply: cautious, with local models and a temperature above 0")
]
Entailment = Annotated[str | None, typer.Option(help="judge, or nli/PATH_OR_ID: do texts entail each other?")]


def run(
    questions: Annotated[str, typer.Argument(help="bank:NAME, a .jsonl, .csv or .parquet file, or hf://org/name")],
    model: Annotated[str, typer.Option(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")],
    knob: Knobs = None,
    estimators: Annotated[str, typer.Option(help="names, perhaps with knobs: a,b(samples=5); or auto")] = "auto",
    out: Annotated[str | None, typer.Option(help="the run's folder [runs/<id>]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="a fixed sample of so many questions")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")] = 0,
    samples: Annotated[int | None, typer.Option(min=1, help="samples per question, for all that sample")] = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="stop after so many paid calls")] = None,
    max_cost: MaxCost = None,
    system: Annotated[str | None, typer.Option(help="a system message")] = None,
    template: Annotated[str | None, typer.Option(help="a text around {question}, or paraphrase/1 to 10")] = None,
    temperature: Annotated[float, typer.Option(min=0, help="of the reply under judgement")] = 0.0,
    decoding: Decoding = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="of the reply")] = 64,
    judge: Annotated[str | None, typer.Option(help="the model that judges, written like --model [the model]")] = None,
    entailment: Entailment = None,
    embedding: Annotated[str | None, typer.Option(help="minilm, or encoder/PATH_OR_ID: texts as vectors")] = None,
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
