"""`doxa compare`: who is better on the same questions, estimators or models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cli.layout import Line
    from doxa.contests import Contest, Entry, Rivals

NAME, WIDTH = 19, 80
LEVEL = 0.05
LEAST, NEAR = 3, 0.02
"""Wordings that say anything about wordings, and how near a mean over them shall be."""


def compare(
    files: Annotated[
        list[Path], typer.Argument(help="a run, several runs, or files of predictions", metavar="RUN|FILE")
    ],
    metric: Annotated[str, typer.Option(metavar="A,B", help="metrics of confidence and outcome")] = "auroc",
    reference: Annotated[str | None, typer.Option(help="compare with this one [the best; of models the first]")] = None,
    estimators: Annotated[str | None, typer.Option(metavar="A,B", help="only these estimators of a run")] = None,
    across: Annotated[
        str | None, typer.Option(metavar="COL", help="of one file: column of the model or method")
    ] = None,
    item: Annotated[str | None, typer.Option("--id", metavar="COL", help="column that names the question")] = None,
    confidence: Annotated[str | None, typer.Option(metavar="COL", help="column of the confidence")] = None,
    correct: Annotated[str | None, typer.Option(metavar="COL", help="column that says whether it was right")] = None,
    cluster: Annotated[str | None, typer.Option(metavar="COL", help="rows that share it belong together")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COL=VALUE", help="only these rows; repeatable")] = None,
    scale: Annotated[
        str, typer.Option(help="of a file: unit for confidences in [0, 1], real for other scores")
    ] = "unit",
    paraphrases: Annotated[
        bool, typer.Option("--paraphrases", help="the runs differ in their wording: how much does it matter?")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="of the bootstrap")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Compare the estimators of a run, or models.

    Differences are paired, with intervals and with p-values for the whole table.
    """
    from doxa.cli.layout import show
    from doxa.cli.score import chosen
    from doxa.contests import as_dict, contest, open_rivals

    rivals = open_rivals(
        files,
        item=item,
        across=across,
        cluster=cluster,
        confidence=confidence,
        correct=correct,
        scale=chosen(scale),
        conditions=where or [],
        estimators=listed(estimators),
    )
    if paraphrases:
        made, told = wordings(rivals)
        if as_json:
            sys.stdout.write(json.dumps(made, ensure_ascii=False) + "\n")
        else:
            show(told)
        return
    metrics = listed(metric)
    if rivals.models and "accuracy" not in metrics:
        metrics = ["accuracy", *metrics]
    contests = [made for name in metrics for made in contest(rivals, name, reference=reference, seed=seed)]
    if as_json:
        sys.stdout.write(json.dumps(as_dict(rivals, contests), ensure_ascii=False) + "\n")
        return
    show([*heading(rivals), *(line for made in contests for line in lines(made)), *legend()])


def listed(given: str | None) -> list[str]:
    """Names separated by commas, outside of brackets.

    >>> listed("a, b(k=1,m=2)")
    ['a', 'b(k=1,m=2)']
    """
    import re

    return [name.strip() for name in re.split(r",(?![^(]*\))", given or "") if name.strip()]


def wordings(rivals: Rivals) -> tuple[dict[str, Any], list[Line]]:
    """How far accuracy depends on the wording, from runs that differ in nothing else."""
    from dataclasses import asdict

    from doxa.cli.layout import wrapped
    from doxa.contests import verdicts
    from doxa.errors import DataError, UsageError
    from doxa.metrics import resamplings_needed
    from doxa.metrics.maths.sensitivity import sensitivity

    if not rivals.models or len(rivals.names) < LEAST:
        raise UsageError(f"{len(rivals.names)} wordings are too few", hint=f"give at least {LEAST} runs or files")
    found = sensitivity(verdicts(rivals).to_numpy())
    try:
        needed = int(resamplings_needed(score=found.wordings, epsilon=NEAR, replace=True))
    except DataError:
        needed = None
    made = {"schema": "doxa.paraphrases/1", "rivals": rivals.names, **asdict(found), "epsilon": NEAR, "needed": needed}
    parts = {"question": found.question, "wording": found.wording, "rest": found.rest}
    total = sum(parts.values())
    shares = ", ".join(f"{name} {part / total:.0%}" for name, part in parts.items()) if total else "no verdict varies"
    told: list[Line] = [(f"accuracy under {len(rivals.names)} wordings · {found.n:,} questions", "bold")]
    told.append((f"mean {found.mean:.3f}, 95 % {max(0.0, found.low):.3f} to {min(1.0, found.high):.3f}", ""))
    least, most = min(found.wordings), max(found.wordings)
    told.append((f"by wording {least:.3f} to {most:.3f}, standard deviation {found.sd:.3f}", ""))
    told += wrapped(f"where a verdict's variance comes from: {shares}", "")
    enough = f"the mean of {needed}" if needed else f"no mean of up to {len(rivals.names)}"
    told += wrapped(f"{enough} such wordings is within {NEAR} of the mean of all, nine times in ten", "")
    names = zip(rivals.names, found.wordings, strict=True)
    return made, [*told, *(line for name, value in names for line in wrapped(f"{value:.3f}  {name}"))]


def heading(rivals: Rivals) -> list[Line]:
    """What is compared, and which questions are left out."""
    from doxa.cli.layout import wrapped
    from doxa.text import clean

    what = "models" if rivals.models else "estimators"
    found: list[Line] = [(f"{len(rivals.names)} {what} · {rivals.questions:,} questions", "bold")]
    if rivals.left_out:
        told = ", ".join(f"{count:,} of {clean(name)}" for name, count in rivals.left_out.items())
        found += wrapped(f"left out, as not all were asked them: {told}")
    return found


def lines(made: Contest) -> list[Line]:
    """One contest as a table of 80 columns, and what may be said about it."""
    from doxa.cli.layout import DIRECTION, shortened

    title = f"{made.metric} about {'the reply' if made.about == 'reply' else 'answers of their own'}"
    if made.metric == "accuracy":
        title = "accuracy of the replies"
    against = f"against {made.reference}" + (", the best" if made.picked else "")
    found: list[Line] = [("", ""), (shortened(f"{title}, {against}", WIDTH), "bold")]
    head = f"{DIRECTION[made.entries[0].difference.better] if made.entries else '':<{NAME}}"
    found.append(
        (f"{head}{'value':>6}{'ref.':>7}{'diff.':>8}{'95 %':>17}{'p':>6}{'Holm':>6}{'n':>5}{'seen':>6}", "dim")
    )
    for entry in made.entries:
        found += _row(entry, many=len({e.name for e in made.entries}) > 1)
    return [*found, *_notes(made)]


def _row(entry: Entry, many: bool) -> list[Line]:
    """One rival, its name on a line of its own where it is long."""
    from doxa.cli.layout import wrapped
    from doxa.text import clean

    d = entry.difference
    name = clean(" · ".join(part for part in (entry.group, entry.name if many or not entry.group else "") if part))
    found: list[Line] = []
    if d.difference is None or d.a is None or d.b is None:
        return wrapped(f"{name}: {d.reason}")
    if len(name) >= NAME:
        found, name = wrapped(name, ""), ""
    ends = "—" if d.low is None or d.high is None else f"{d.low:+.3f} to {d.high:+.3f}"
    seen = "—" if d.detectable is None else f"{d.detectable:.3f}"
    numbers = f"{d.a:>6.3f}{d.b:>7.3f}{d.difference:>+8.3f}{ends:>17}{_p(d.p):>6}{_p(entry.holm):>6}{d.n:>5}{seen:>6}"
    found.append((f"{name:<{NAME}}{numbers}", _style(entry)))
    if entry.gained is not None and entry.lost is not None:
        rates = entry.gained / d.n, entry.lost / d.n
        told = f"flips: {entry.gained} to right ({rates[0]:.3f}), {entry.lost} to wrong ({rates[1]:.3f})"
        found.append((f"  {told}", "dim"))
    return found


def _style(entry: Entry) -> str:
    """Green for better and red for worse, where the whole table allows to say so."""
    d = entry.difference
    if entry.holm is None or entry.holm > LEVEL or not d.difference or d.better == "zero":
        return ""
    return "green" if (d.difference > 0) == (d.better == "high") else "red"


def _p(p: float | None) -> str:
    """A probability in five columns."""
    if p is None:
        return "—"
    return "<.001" if p < 0.0005 else f"{p:.3f}"


def _notes(made: Contest) -> list[Line]:
    """What the numbers do not say by themselves."""
    from doxa.cli.layout import wrapped

    told = [entry for entry in made.entries if entry.holm is not None and entry.holm <= LEVEL]
    counted = [entry for entry in made.entries if entry.holm is not None]
    found = wrapped(f"{len(told)} of {len(counted)} differ from {made.reference} by more than chance explains.", "")
    if made.among > len(counted):
        found += wrapped(
            f"Holm: among all {made.among} pairs, as the reference was picked by its value; "
            f"--reference NAME names it beforehand and needs {len(counted)}."
        )
    missing = [
        f"{entry.group or entry.name} {entry.difference.missing}" for entry in made.entries if entry.difference.missing
    ]
    if missing:
        what = "verdict" if made.metric == "accuracy" else "number"
        found += wrapped(f"questions where one of the two has no {what}: {', '.join(missing)}")
    alike = {
        e.difference.reason for e in made.entries if e.difference.low is None and e.difference.difference is not None
    }
    return found + [line for reason in sorted(alike) for line in wrapped(f"— {reason}")]


def legend() -> list[Line]:
    """What the last column is."""
    from doxa.cli.layout import wrapped

    return [("", ""), *wrapped("seen: the least true difference that so many questions show in 80 % of all cases")]
