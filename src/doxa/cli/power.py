"""`doxa power`: how many questions a difference needs, and which difference so many questions show."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from doxa.cli.layout import Line
    from doxa.contests import Entry
    from doxa.metrics.maths.power import Accuracies, Areas, Means

NAME = 34
LEAST = 20
"""Questions below which none are said to be enough: ten right and ten wrong, or a standard error means little."""


def power(
    files: Annotated[
        list[Path] | None, typer.Argument(help="runs or files whose variances are taken", metavar="[RUN|FILE]...")
    ] = None,
    difference: Annotated[float | None, typer.Option(min=0, help="the true difference that shall show")] = None,
    questions: Annotated[int | None, typer.Option(min=2, help="questions there are")] = None,
    metric: Annotated[
        str | None, typer.Option(help="accuracy, auroc or mean; of files any [accuracy; auroc of the same replies]")
    ] = None,
    accuracy: Annotated[float, typer.Option(help="share right of the one")] = 0.5,
    auroc: Annotated[float, typer.Option(help="AUROC of the one")] = 0.75,
    correlation: Annotated[float, typer.Option(help="of the two verdicts on a question, or of the two AUROCs")] = 0.5,
    discordant: Annotated[
        float | None, typer.Option(help="share of questions only one gets right [from the correlation]")
    ] = None,
    between: Annotated[
        float | None, typer.Option(min=0, help="of means: variance of the questions' expected differences")
    ] = None,
    noise: Annotated[str, typer.Option(metavar="V[,V]", help="of means: variance of answers to one question")] = "0",
    answers: Annotated[str, typer.Option(metavar="K[,K]", help="of means: answers to each question")] = "1",
    reference: Annotated[str | None, typer.Option(help="of runs and files: compare with this one")] = None,
    across: Annotated[str | None, typer.Option(metavar="COL", help="of one file: column of the model")] = None,
    item: Annotated[str | None, typer.Option("--id", metavar="COL", help="of files: column of the question")] = None,
    chance: Annotated[float, typer.Option("--power", help="how surely the difference shall show")] = 0.8,
    level: Annotated[float, typer.Option(help="two-sided level of the test")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Say how many questions a comparison needs.

    Give a difference for the questions it needs, the questions for the difference they show, or both.
    """
    from doxa.cli.layout import show
    from doxa.errors import UsageError

    if not 0 < level < chance < 1:
        raise UsageError(f"no power {chance:g} at level {level:g}", hint="for example --power 0.8 --level 0.05")
    if difference is None and questions is None and not files:
        raise UsageError("nothing to plan", hint="give --difference 0.03, --questions 500, or both")
    wanted: dict[str, Any] = {"metric": metric, "difference": difference, "questions": questions}
    wanted |= {"power": chance, "level": level}
    if files:
        rows, told = from_data(files, wanted, reference=reference, across=across, item=item)
    else:
        wanted["metric"] = metric or "accuracy"
        design = designed(
            wanted["metric"],
            accuracy=accuracy,
            auroc=auroc,
            correlation=correlation,
            discordant=discordant,
            between=between,
            noise=noise,
            answers=answers,
        )
        rows, told = planned(design, wanted)
    if as_json:
        sys.stdout.write(json.dumps({"schema": "doxa.power/1", **wanted, "rows": rows}, ensure_ascii=False) + "\n")
    else:
        show(told)


def designed(
    metric: str,
    *,
    accuracy: float,
    auroc: float,
    correlation: float,
    discordant: float | None,
    between: float | None,
    noise: str,
    answers: str,
) -> Means | Accuracies | Areas:
    """What the options describe. Raises `UsageError` for a metric that needs data, or means without a variance."""
    from doxa.errors import UsageError
    from doxa.metrics.maths.power import Accuracies, Areas, Means

    if metric == "accuracy":
        return Accuracies(accuracy, correlation, discordant)
    if metric == "auroc":
        return Areas(auroc, accuracy, correlation)
    if metric != "mean":
        raise UsageError(f"{metric} cannot be planned from nothing", hint=f"doxa power RUN --metric {metric}")
    if between is None:
        raise UsageError("means need the variance between questions", hint="for example --between 0.11")
    one, other = _two(noise)
    times, others = _two(answers)
    return Means(between, (one, other), (int(times), int(others)))


def _two(given: str) -> tuple[float, float]:
    """One positive number for both models, or one each."""
    from doxa.errors import UsageError

    try:
        numbers = [float(part) for part in given.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 0:
        raise UsageError(f"{given!r} is not one number or two", hint="for both models 0.1, for each its own 0.1,0.2")
    return numbers[0], numbers[-1]


def planned(design: Means | Accuracies | Areas, wanted: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Line]]:
    """What a design gives: questions, difference, or power, whichever was not given."""
    from doxa.cli.layout import wrapped
    from doxa.metrics.maths.power import detectable, needed

    assumed = {name: value for name, value in asdict(design).items() if value is not None and name != "largest"}
    n, difference = wanted["questions"], wanted["difference"]
    asked = {"power": wanted["power"], "level": wanted["level"]}
    told: list[Line] = [(f"{wanted['metric']} of two on the same questions, {_asked(wanted)}", "bold")]
    told += wrapped("assumed: " + ", ".join(f"{name} {_plain(value)}" for name, value in assumed.items()))
    row: dict[str, Any] = {"assumed": assumed}
    if n is not None and difference is not None:
        row["power"] = design.power(n, difference, wanted["level"])
        told.append((f"{n:,} questions show a difference of {difference:g} with power {row['power']:.3f}", ""))
    if difference is not None:
        row["questions"] = needed(design, difference, **asked)
        told.append((f"a difference of {difference:g} needs {row['questions']:,} questions", ""))
    if n is not None:
        row["detectable"] = detectable(design, n, **asked)
        least = row["detectable"]
        shown = "no difference at all" if least is None else f"a difference of {least:.4f} or more"
        told.append((f"{n:,} questions show {shown}", ""))
    return [row], told


def _plain(value: Any) -> str:
    """A number, or two where the models differ."""
    return " and ".join(f"{part:g}" for part in sorted(set(value))) if isinstance(value, tuple) else f"{value:g}"


def _asked(wanted: dict[str, Any]) -> str:
    """Power and level."""
    return f"power {wanted['power']:g}, level {wanted['level']:g}"


def from_data(
    files: Sequence[Path], wanted: dict[str, Any], *, reference: str | None, across: str | None, item: str | None
) -> tuple[list[dict[str, Any]], list[Line]]:
    """What the comparisons in runs or files would need: standard errors fall with the root of the questions."""
    from doxa.cli.layout import shortened, wrapped
    from doxa.contests import contest, open_rivals

    rivals = open_rivals(files, across=across, item=item)
    # Estimators of one run judge the same replies, of which the accuracy is the same.
    wanted["metric"] = wanted["metric"] or ("accuracy" if rivals.models else "auroc")
    shown = f"by {wanted['questions']:,}" if wanted["questions"] else "shown by n"
    rows: list[dict[str, Any]] = []
    told: list[Line] = []
    for made in contest(rivals, wanted["metric"], reference=reference):
        about = "the reply" if made.about == "reply" else "answers of their own"
        told.append((shortened(f"{made.metric} about {about}, against {made.reference}, {_asked(wanted)}", 80), "bold"))
        told.append((f"{'':<{NAME}}{'n':>8}{'diff.':>9}{shown:>12}{'needed':>10}", "dim"))
        for entry in made.entries:
            row = _scaled(entry, wanted)
            rows.append({"about": made.about, "reference": made.reference, **row})
            told += _told(row)
    target = "the difference found" if wanted["difference"] is None else f"a difference of {wanted['difference']:g}"
    note = f"n: questions compared here; needed: questions like these that would show {target}, if it is the true one"
    least = f"; never below {LEAST}, ten right and ten wrong: of fewer the standard error says little"
    return rows, [*told, *wrapped(note + least)]


def _scaled(entry: Entry, wanted: dict[str, Any]) -> dict[str, Any]:
    """The least difference shown by the questions there are, or are given, and the questions that are needed."""
    from scipy.special import ndtri

    from doxa.metrics.maths.power import LEVEL, POWER

    found = entry.difference
    name = " · ".join(part for part in (entry.group, entry.name) if part)
    row: dict[str, Any] = {"name": name, "n": found.n, "difference": found.difference, "reason": found.reason}
    row |= {"detectable": None, "questions": None}
    if found.detectable is None or found.difference is None:
        return row
    usual = float(ndtri(1 - LEVEL / 2) + ndtri(POWER))
    here = found.detectable * float(ndtri(1 - wanted["level"] / 2) + ndtri(wanted["power"])) / usual
    target = abs(found.difference) if wanted["difference"] is None else wanted["difference"]
    n = wanted["questions"] or found.n
    row["detectable"] = here * (found.n / n) ** 0.5
    row["questions"] = max(LEAST, ceil(found.n * (here / target) ** 2)) if target else None
    return row


def _told(row: dict[str, Any]) -> list[Line]:
    """One line, or the reason why there is none."""
    from doxa.cli.layout import shortened, wrapped
    from doxa.text import clean

    name = clean(row["name"])
    if row["detectable"] is None:
        return wrapped(f"{name}: {row['reason']}")
    enough = "—" if row["questions"] is None else f"{'≥' * (row['questions'] == LEAST)}{row['questions']:,}"
    numbers = f"{row['n']:>8,}{row['difference']:>+9.3f}{row['detectable']:>12.3f}{enough:>10}"
    return [(f"{shortened(name, NAME - 1):<{NAME}}{numbers}", "")]
