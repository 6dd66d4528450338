"""The options of every verb that asks the questions of a run."""

from __future__ import annotations

from typing import Annotated

import typer

Questions = Annotated[str, typer.Argument(help="bank:NAME, a .jsonl, .csv or .parquet file, or hf://org/name")]
Estimators = Annotated[str, typer.Option(help="names, perhaps with knobs: a,b(samples=5); or auto")]
Out = Annotated[str | None, typer.Option(help="the run's folder [runs/<id>]")]
Limit = Annotated[int | None, typer.Option(min=1, help="a fixed sample of so many questions")]
Seed = Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")]
Samples = Annotated[int | None, typer.Option(min=1, help="samples per question, for all that sample")]
System = Annotated[str | None, typer.Option(help="a system message")]
Template = Annotated[str | None, typer.Option(help="a text around {question}, or paraphrase/1 to 10")]
Temperature = Annotated[float, typer.Option(min=0, help="of the reply under judgement")]
MaxTokens = Annotated[int, typer.Option(min=1, help="of the reply")]
Judge = Annotated[str | None, typer.Option(help="the model that judges, written like --model [the model]")]
Embedding = Annotated[str | None, typer.Option(help="minilm, or encoder/PATH_OR_ID: texts as vectors")]
Entailment = Annotated[str | None, typer.Option(help="judge, or nli/PATH_OR_ID: do texts entail each other?")]
Knobs = Annotated[list[str] | None, typer.Option("-M", metavar="KEY=VALUE", help="a knob of the model: int8=true")]
