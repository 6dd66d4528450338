"""`doxa quickstart`: the embedded model, about ninety questions, a full report."""

from __future__ import annotations

from typing import Annotated

import typer

QUESTIONS = "bank:capitals?n=42+capitals_choice?n=18+arithmetic?n=12+fictional?n=18"
ESTIMATORS = (
    "sequence_probability,normalized_probability,mean_token_entropy,option_letters,option_likelihood,self_consistency,"
    "semantic_entropy,discrete_semantic_entropy,p_true,p_true_samples,stated_one_turn,stated_two_turn,stated_top_k,"
    "certainty_words,persistence,deed"
)
"""The basic ones, by name: a first minute that does not grow with every estimator that is added."""


def quickstart(
    out: Annotated[str, typer.Option(help="the run's folder")] = "runs/quickstart",
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Assay the embedded model and write a full report.

    Sixteen estimators on ninety questions of four banks; offline after the first time.
    """
    from doxa.cli import running

    options = running.Options(
        questions=QUESTIONS, model="smollm2", estimators=ESTIMATORS, out=out, max_tokens=20, title="quickstart"
    )
    with running.quiet_logs():
        then = "doxa run your-questions.csv --model openai/gpt-4o"
        running.finish(running.execute(options), as_json=as_json, then=then)
