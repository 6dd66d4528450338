"""`doxa train`: questions, a model, a recipe → a file of training data."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="how the data are made: see doxa list recipes")],
    questions: Annotated[str, typer.Argument(help="bank:NAME, a .jsonl, .csv or .parquet file, or hf://org/name")],
    model: Annotated[str, typer.Option(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the file of training data, JSONL")],
    samples: Annotated[int | None, typer.Option(min=2, help="solutions for each question")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="pairs for each question, at most")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="of a solution")] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="two worked examples before each question: small models need them")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="a fixed sample of so many questions")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")] = 0,
    max_calls: Annotated[int | None, typer.Option(min=1, help="stop after so many paid calls")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="start anew instead of resuming")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Make training data from a model's own answers.

    The same command again resumes: what was answered is kept in the folder OUT.answers and never asked twice.
    """
    from doxa import registry
    from doxa.cli.outputs import check_output
    from doxa.cli.progress import showing
    from doxa.cli.running import quiet_logs, run_until_done
    from doxa.inquiry import Budget
    from doxa.loading import load_model
    from doxa.questions import load
    from doxa.training.making import make_data

    check_output(out, questions)
    given = {"samples": samples, "keep": keep, "max_tokens": max_tokens, "examples": examples or None}
    made = registry.build("training", recipe, **{knob: value for knob, value in given.items() if value is not None})
    asked = load(questions, limit=limit, seed=seed)
    loaded = load_model(model)
    with quiet_logs(), showing() as progress:
        work = make_data(made, loaded, asked, out, seed=seed, budget=Budget(max_calls), fresh=fresh, progress=progress)
        report = {"recipe": recipe, "model": model, **run_until_done(work, loaded)}
    sys.stdout.write((json.dumps(report, ensure_ascii=False) if as_json else _told(report)) + "\n")


def _told(report: dict[str, Any]) -> str:
    """What was made, and what is missing and why."""
    lines = [f"{report['rows']} rows from {report['with_rows']} of {report['questions']} questions → {report['out']}"]
    lines += [f"! {number} without: {reason}" for reason, number in sorted(report["missing"].items())]
    lines += [", ".join(f"{number} {name}" for name, number in report["counts"].items())] if report["counts"] else []
    return "\n".join([*lines, f"{report['calls']} calls, {report['calls_saved']} from the journal"])
