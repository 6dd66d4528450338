"""`doxa act`: a run, a policy that decides on every answer, and what comes of its decisions."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doxa.acted import Mandate
    from doxa.cli.layout import Line

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
HEAD = (
    f"{'act':<9}{'n':>5}{'before':>7}{'after':>7}  {'change (95 %)':<23}{'p':>8}{'found':>6}{'calls':>6}{'tokens':>7}"
)


def act(
    questions: Annotated[str, typer.Argument(help="bank:NAME, a .jsonl, .csv or .parquet file, or hf://org/name")],
    model: Annotated[str, typer.Option(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")],
    policy: Annotated[
        str | None, typer.Option(help="a name, perhaps with knobs: verification_route(alpha=0.6)")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="instead: what doxa calibrate --policy wrote, with its calibrator")
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="learn the policy, for each fold of questions on the others")
    ] = False,
    estimator: Annotated[str | None, typer.Option(help="whose confidence is decided on [what fits]")] = None,
    documents: Annotated[
        str | None, typer.Option(help="a folder of .txt, .md, .jsonl and .csv to look things up")
    ] = None,
    passages: Annotated[int, typer.Option(min=1, help="passages of one look-up")] = 5,
    stronger: Annotated[str | None, typer.Option(help="the model to escalate to, written like --model")] = None,
    out: Annotated[str | None, typer.Option("-o", "--out", help="the run's folder [runs/<id>]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="a fixed sample of so many questions")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")] = 0,
    max_calls: Annotated[int | None, typer.Option(min=1, help="stop after so many paid calls")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="stop once so many USD are spent (needs prices.yaml)")
    ] = None,
    system: Annotated[str | None, typer.Option(help="a system message")] = None,
    temperature: Annotated[float, typer.Option(min=0, help="of the replies")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="of the replies")] = 64,
    judge: Annotated[str | None, typer.Option(help="the model that judges, written like --model [the model]")] = None,
    entailment: Annotated[
        str | None, typer.Option(help="judge, or nli/PATH_OR_ID: do texts entail each other?")
    ] = None,
    embedding: Annotated[str | None, typer.Option(help="minilm, or encoder/PATH_OR_ID: texts as vectors")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="start anew instead of resuming")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Let a policy decide on every answer, and carry it out.

    Answers are graded before and after. The same command again resumes, as with doxa run. Without --estimator it is
    that of the bundle or of the policy (verification_route: pcc), else normalized_probability, or self_consistency
    where the model shows no log-probabilities.
    """
    from doxa.cli import running
    from doxa.errors import Incomplete

    mandate = mandate_of(policy, bundle, estimator, fit, documents, passages, stronger)
    options = running.Options(
        questions, model, mandate.estimator, out, limit, seed, max_calls=max_calls, max_cost=max_cost, system=system,
        temperature=temperature, max_tokens=max_tokens, judge=judge, entailment=entailment, embedding=embedding,
    )  # fmt: skip
    with running.quiet_logs():
        content, folder = execute(options, mandate, stronger, fresh)
    if as_json:
        sys.stdout.write(json.dumps({**content, "folder": folder}, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        from doxa.cli.layout import show

        show(lines(content, f"{questions} · {model}", folder))
    if content["status"] != "complete":
        raise Incomplete("some acts are missing their calls", hint="the same command again goes on")


def mandate_of(
    policy: str | None,
    bundle: Path | None,
    estimator: str | None,
    fit: bool,
    documents: str | None,
    passages: int,
    stronger: str | None,
) -> Mandate:
    """Who decides, and what there is to act with. Raises `UsageError` for what does not go together."""
    from doxa import registry
    from doxa.acted import Mandate
    from doxa.errors import UsageError
    from doxa.loading import load_model
    from doxa.services import load_service
    from doxa.types import Case

    if (policy is None) == (bundle is None):
        raise UsageError("name a policy or a bundle", hint="--policy verification_route, or --bundle bundle.json")
    if bundle is None:
        made, calibrator, spelled = registry.make("policies", policy or ""), None, policy or ""
    else:
        made, calibrator, known = opened(bundle)
        spelled, estimator = f"{bundle}", estimator or known
        if fit:
            raise UsageError("the policy of a bundle is fitted already", hint="leave out --fit, or name it by --policy")
    if estimator == "auto" or "," in re.sub(r"\([^()]*\)", "", estimator or ""):
        raise UsageError(f"a policy decides on one estimator, not on {estimator}", hint="name one, perhaps with knobs")
    if not fit:
        try:
            made.decide(Case(None))
        except UsageError as unfitted:
            hint = "--fit learns it on the other folds; a bundle holds one that is fitted"
            raise UsageError(f"{spelled}: {unfitted}", hint=hint) from unfitted
    if documents is None and {"retrieve", "search"} & set(getattr(made, "acts", ())):
        raise UsageError(f"{spelled} looks things up", hint="say where: --documents FOLDER")
    return Mandate(
        estimator or str(getattr(made, "estimator", "")),
        made,
        spelled,
        fit,
        calibrator,
        None if documents is None else load_service(f"bm25/{documents}", "retrieval"),
        None if stronger is None else load_model(stronger),
        passages,
    )


def opened(bundle: Path) -> tuple[Any, Any, str | None]:
    """The policy and the calibrator of a bundle, and the estimator they were fitted on."""
    from doxa.cli.apply import read_json
    from doxa.errors import UsageError
    from doxa.state import SCHEMAS, revive

    content = read_json(bundle)
    if "policy" not in content:
        alone = content.get("schema") == SCHEMAS["policies"]
        raise UsageError(
            f"{bundle} is the policy {content.get('method')} alone, without a calibrator"
            if alone
            else f"{bundle} has no policy",
            hint="doxa calibrate RUN --estimator NAME --policy NAME -o bundle.json writes both",
        )
    return revive(content["policy"]), revive(content), next(iter(content.get("estimators", ())), None)


def execute(options: Any, mandate: Mandate, stronger: str | None, fresh: bool) -> tuple[dict[str, Any], str]:
    """Make the run and act on it; what came of it, and where it is."""
    from doxa.acted import act_on
    from doxa.acting import STRONGER
    from doxa.choosing import barred
    from doxa.cli import running
    from doxa.cli.progress import showing
    from doxa.errors import UsageError
    from doxa.inquiry import Budget
    from doxa.loading import load_model
    from doxa.prices import price_of

    prices = running.prices(options)
    if stronger is not None:
        prices[STRONGER] = price_of(stronger, options.prices)
        if options.max_cost is not None and prices[STRONGER] is None:
            raise UsageError(f"no price is known for {stronger}", hint="name it in prices.yaml, or use --max-calls")
    model = load_model(options.model)
    if not options.estimators:
        open_to_all = "normalized_probability" if model.capabilities.logprobs else "self_consistency"
        options = replace(options, estimators=open_to_all)
    plan = running.make_plan(options, model)
    (label,) = plan.estimators
    if why := asyncio.run(barred(plan, model.capabilities)).get(label):
        hint = "nothing was asked; name another: --estimator self_consistency asks of a model nothing but text"
        raise UsageError(f"{label} can give no confidence here: {why}", hint=hint)
    folder = running.folder(options, plan, model)
    with showing() as progress:
        work = act_on(
            model,
            plan,
            replace(mandate, estimator=label),
            out=folder,
            budget=Budget(options.max_calls, options.max_cost),
            prices=prices,
            fresh=fresh,
            notes=running.notes(options),
            progress=progress,
        )
        return running.run_until_done(work, *filter(None, (model, plan.judge, mandate.stronger))), str(folder)


def lines(content: dict[str, Any], title: str, folder: str) -> list[Line]:
    """The table: one line an act, then all; below it what the columns mean and what could not be done."""
    from doxa.cli.layout import WIDTH, shortened

    found: list[Line] = [(shortened(f"{title} · {content['estimator']} · {content['policy']}", WIDTH), "bold")]
    found += [("", ""), (HEAD, "bold"), *((line(row), "") for row in content["acts"]), (line(content["all"]), "bold")]
    notes = [
        f"{row['act']}: {n} without an answer: {why}"
        for row in content["acts"]
        for why, n in alike(row["not_done"]).items()
    ]
    notes += held_back(content["all"])
    calls = content["all"]["per_question"]["estimate_calls"]
    notes += [
        "before: share right of all graded answers, after: of those still given; change: on the questions that are "
        "in both, p by McNemar's exact test; found (passages), calls, tokens: of acting, a question",
        f"deciding took {content['estimator']} {calls:.1f} calls a question; its probability of being right is "
        f"{content['probability']}",
        f"one row a question: {folder}/acts.parquet",
    ]
    return found + [("", "")] + [(part, "dim") for note in notes for part in textwrap.wrap(note, WIDTH)]


def alike(reasons: Mapping[str, int]) -> dict[str, int]:
    """Reasons that differ in one number alone as one, with the span of that number.

    >>> alike({"it is worth -0.2": 1, "it is worth +0.1": 2, "no passage fits": 3})
    {'it is worth -0.2 to +0.1': 3, 'no passage fits': 3}
    """
    kinds: dict[str, list[str]] = {}
    for why in reasons:
        kinds.setdefault("…".join(_NUMBER.split(why)), []).append(why)
    found: dict[str, int] = {}
    for kind, several in kinds.items():
        numbers = sorted((number for why in several for number in _NUMBER.findall(why)), key=float)
        span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) == len(several) else "…"
        name = kind.replace("…", span) if len(several) > 1 else several[0]
        found[name] = sum(reasons[why] for why in several)
    return found


def held_back(row: dict[str, Any]) -> list[str]:
    """How many are still answered and how often the others would have been right, where some are not."""
    if row["given"] == row["n"]:
        return []
    text = f"all: {row['given']:,} of {row['n']:,} are still answered"
    if row["withheld"] is not None:
        text += f"; of the others {row['withheld']['value']:.3f} would have been right (n {row['withheld']['n']:,})"
    return [text]


def line(row: dict[str, Any]) -> str:
    """One line of the table."""

    def share(name: str) -> str:
        return "—" if row[name] is None else f"{row[name]['value']:.3f}"

    change, p = row["difference"], row["mcnemar"]
    moved = "—" if change is None else f"{change['value']:+.3f}"
    if change is not None and change["low"] is not None:
        moved += f" ({change['low']:+.2f} to {change['high']:+.2f})"
    tail = "—" if p is None else "<0.0001" if p["value"] < 1e-4 else f"{p['value']:.4f}"
    costs = row["per_question"]
    known = costs["tokens_in"] is not None and costs["tokens_out"] is not None
    tokens = f"{costs['tokens_in'] + costs['tokens_out']:,.0f}" if known else "—"
    return (
        f"{row['act']:<9}{row['n']:>5}{share('before'):>7}{share('after'):>7}  {moved:<23}{tail:>8}"
        f"{costs['passages']:>6.1f}{costs['calls']:>6.1f}{tokens:>7}"
    )
