"""`doxa delegate`: which parts of a prompt may leave this machine, learnt and measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cli.layout import Line

HEAD = f"{'':<13}{'quality (95 %)':<22}{'leakage (95 %)':<22}{'kept of':>8}{'calls':>11}"
BELOW = f"{'':<13}{'':<44}{'remote':>8}{'local':>6}{'remote':>7}"


def delegate(
    questions: Annotated[
        str, typer.Argument(help="with contexts: bank:private_notes, a .jsonl, .csv or .parquet file")
    ],
    local: Annotated[str, typer.Option(help="the model that may see everything, e.g. smollm2")],
    remote: Annotated[str, typer.Option(help="the model that chunks are sent to, e.g. openai/NAME")],
    penalties: Annotated[str, typer.Option(help="what leaking everything costs, where an answer is worth 1")] = (
        "0,0.3,1,3"
    ),
    region: Annotated[str, typer.Option(help="of telephone numbers without a country's code")] = "US",
    limit: Annotated[int | None, typer.Option(min=1, help="a fixed sample of so many questions")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="rounds of learning")] = 100,
    samples: Annotated[int, typer.Option(min=2, help="ways tried for each prompt in a round")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")] = 0,
    max_tokens: Annotated[int, typer.Option(min=1, help="of the replies")] = 64,
    max_calls: Annotated[int | None, typer.Option(min=1, help="stop after so many paid calls")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="write policies learnt on all questions, JSON")
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="the folder that keeps the answers [runs/<id>]")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="start anew instead of resuming")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Learn which chunks of a prompt may leave this machine.

    Prints quality and leaked private data of the learnt policies, on questions they were not learnt on, and of
    baselines. The same command again resumes.
    """
    from doxa.cli.layout import show
    from doxa.cli.outputs import check_output
    from doxa.cli.progress import showing
    from doxa.cli.running import quiet_logs, run_until_done
    from doxa.delegated import Study, study
    from doxa.files import write
    from doxa.flow import Plan
    from doxa.inquiry import Asking, Budget
    from doxa.loading import load_model
    from doxa.policies.privacypad import PrivacyPAD
    from doxa.questions import load
    from doxa.text.pii import PII

    check_output(out, questions)
    policies = [PrivacyPAD(each, epochs, samples, seed=seed) for each in numbers(penalties)]
    asked, pii = load(questions, limit=limit, seed=seed), PII(region)
    models = load_model(local), load_model(remote)
    wanted = Study(asked, *models, policies, pii, Plan(asked, {}, Asking(seed, max_tokens=max_tokens)))
    folder = answers or Path("runs") / wanted.identity
    with quiet_logs(), showing("rounds") as progress:
        work = study(wanted, folder, budget=Budget(max_calls), fresh=fresh, keep=out is not None, progress=progress)
        content = run_until_done(work, *models)
    if out is not None:
        kept = {"schema": content["schema"], "policies": content["policies"]}
        write(json.dumps(kept, ensure_ascii=False, allow_nan=False) + "\n", out)
    if as_json:
        sys.stdout.write(json.dumps({**content, "folder": str(folder)}, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        show(lines(content, f"{questions} · local {local} · remote {remote}", out))


def numbers(spelled: str) -> list[float]:
    """Penalties with commas between them. Raises `UsageError` for anything else, or one twice."""
    from doxa.errors import UsageError

    try:
        found = [float(each) for each in spelled.split(",")]
    except ValueError:
        found = []
    if not found or len(set(found)) < len(found):
        raise UsageError(f"{spelled!r} is no list of penalties", hint="different numbers from 0 upwards: 0,0.3,1,3")
    return found


def lines(content: dict[str, Any], title: str, out: Path | None) -> list[Line]:
    """The table: baselines, then a line a penalty; below it what the columns mean."""
    from doxa.cli.layout import WIDTH, shortened, wrapped

    found: list[Line] = [(shortened(title, WIDTH), "bold"), ("", ""), (HEAD, "bold"), (BELOW, "bold")]
    found += [(line(row), "bold" if row["frontier"] else "") for row in content["rows"]]
    areas = ", ".join(f"{kind} {value:.3f}" for kind, value in content["hypervolume"].items())
    calls = ", ".join(f"{number:,} by {role}" for role, number in content["calls"].items())
    notes = [
        f"{content['questions']:,} questions of {content['clusters']:,} clusters with {content['private']:,} different "
        "pieces of private data. Learnt policies decide on questions of clusters they were not learnt on.",
        "* no other beats it in both. Leakage: the share of a prompt's private data that is sent as it is. "
        "Kept of remote: quality, where sending everything is 1. Calls: a question.",
        f"Area that is beaten in the square of leakage and quality: {areas}.",
        f"Paid calls: {calls.replace('subject', 'local')}; {content['calls_saved']:,} answers were there already.",
        *([f"Policies learnt on all questions: {out}"] if out else []),
    ]
    return [*found, ("", ""), *(each for note in notes for each in wrapped(note))]


def line(row: dict[str, Any]) -> str:
    """One line of the table."""

    def share(name: str) -> str:
        each = row[name]
        ends = "" if each["low"] is None else f" ({each['low']:.1%} to {each['high']:.1%})".replace("%", "")
        return f"{each['value']:.1%}{ends}"

    kept = "—" if row["preserved"] is None else f"{row['preserved']:.3f}"
    name, calls = f"{row['name']}{' *' if row['frontier'] else ''}", row["calls"]
    return (
        f"{name:<13}{share('quality'):<22}{share('leakage'):<22}{kept:>8}{calls['local']:>6.2f}{calls['remote']:>7.2f}"
    )
