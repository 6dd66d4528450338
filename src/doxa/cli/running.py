"""What `run`, `resume` and `quickstart` share: options to a finished run, with progress and the right exit code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doxa.errors import Incomplete, UsageError

if TYPE_CHECKING:
    from doxa.flow import Plan
    from doxa.prices import Price
    from doxa.runs import Run
    from doxa.types import Model


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything a run is told; kept in run.json so that `doxa resume` can say it again."""

    questions: str
    model: str
    estimators: str = "auto"
    out: str | None = None
    limit: int | None = None
    seed: int = 0
    samples: int | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    system: str | None = None
    template: str | None = None
    temperature: float = 0.0
    decoding: str | None = None
    max_tokens: int = 64
    judge: str | None = None
    entailment: str | None = None
    embedding: str | None = None
    engine: str = "local"
    workers: int | None = None
    title: str | None = None
    prices: str = "prices.yaml"

    @property
    def command(self) -> str:
        """The command line that repeats the run."""
        import shlex

        words = ["doxa", "run", self.questions]
        for name, value in asdict(self).items():
            if name not in ("questions", "title") and value != getattr(Options("", ""), name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        return shlex.join(words)


def make_plan(options: Options, model: Model) -> Plan:
    """Questions, estimators and settings of a run."""
    from doxa.choosing import make_plan
    from doxa.inquiry import Asking
    from doxa.loading import load_model
    from doxa.prompts.paraphrases import worded
    from doxa.questions import load
    from doxa.services import load_services

    if options.judge and options.entailment != "judge":  # said before a model is loaded for nothing
        raise UsageError(f"--judge {options.judge} would never be asked", hint="add --entailment judge")
    work = make_plan(
        model,
        load(options.questions, limit=options.limit, seed=options.seed),
        options.estimators,
        Asking(options.seed, options.temperature, options.max_tokens, decoding=options.decoding),
        samples=options.samples,
        max_calls=options.max_calls,
        services=load_services(options.entailment, options.embedding),
        judge=load_model(options.judge) if options.judge else None,
        system=options.system,
        template=worded(options.template),
    )
    return asyncio.run(work)


def execute(options: Options, *, fresh: bool = False, limited: bool = True, shard: str | None = None) -> Run:
    """Make the run, or one shard of it; without its limits of calls and cost if not `limited`, though they still
    choose the estimators.
    """
    from doxa.cli.progress import showing
    from doxa.engines import make_engine
    from doxa.engines.parts.filling import Shard, ask_shard, assay
    from doxa.engines.parts.task import Origin, Task
    from doxa.inquiry import Budget
    from doxa.loading import load_model

    part, engine = Shard.read(shard) if shard else None, make_engine(options.engine, options.workers)
    model = load_model(options.model)
    plan = make_plan(options, model)
    task = Task(
        model,
        plan,
        folder(options, plan, model),
        Origin(options.model, options.judge, options.entailment, options.embedding),
        Budget(options.max_calls, options.max_cost) if limited else Budget(),
        prices(options, limited=limited),
    )
    with showing() as progress:
        told: dict[str, Any] = {"fresh": fresh, "notes": notes(options), "progress": progress}
        work = ask_shard(engine, task, part, **told) if part else assay(engine, task, **told)
        return run_until_done(work, *filter(None, (model, plan.judge)))


def folder(options: Options, plan: Plan, model: Model) -> Path:
    """Where the run is."""
    return Path(options.out) if options.out else Path("runs") / plan.run_id(model)


def notes(options: Options) -> dict[str, Any]:
    """What run.json keeps of the command."""
    return {
        "title": options.title or f"{options.questions} · {options.model}",
        "command": options.command,
        "model": options.model,
        "questions": options.questions,
        "limit": options.limit,
        "options": asdict(options),
    }


def prices(options: Options, *, limited: bool = True) -> dict[str, Price | None]:
    """The prices of the models by role. Raises `UsageError` for an unknown one where cost is limited."""
    found = _prices(options)
    for role, price in found.items():
        if limited and options.max_cost is not None and price is None:
            unknown = options.model if role == "subject" else options.judge
            raise UsageError(f"no price is known for {unknown}", hint="name it in prices.yaml, or use --max-calls")
    return found


def _prices(options: Options) -> dict[str, Price | None]:
    """The prices of the models by role."""
    from doxa.loading import parts
    from doxa.prices import price_of

    models = {"subject": options.model} | ({"judge": options.judge} if options.judge else {})
    return {role: price_of(parts(model)[0], options.prices) for role, model in models.items()}


def run_until_done(work: Coroutine[Any, Any, T], *models: Model) -> T:
    """Run the work, then close the models.

    Ctrl-C and SIGTERM end it in order, and leave with 130 and 143; the second one ends the process at once.
    """
    stopped: list[int] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        with _on_signals(partial(_stop, task, asyncio.get_running_loop(), stopped)):
            try:
                return await work
            finally:
                for model in models:
                    await model.close()

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if stopped == [signal.SIGTERM]:
            raise SystemExit(143) from None
        raise KeyboardInterrupt from None


def _stop(task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop, stopped: list[int], number: int, _: object) -> None:
    """Handle a signal: say at once what happens, then let the loop cancel the work."""
    if stopped:
        # What was answered is committed, and nothing else may hold up an impatient user: a thread, a slow server.
        sys.stderr.write("\x1b[?25h" if sys.stderr.isatty() else "")  # the progress bar hides the cursor
        sys.stderr.flush()
        os._exit(128 + number)
    stopped.append(number)
    sys.stderr.write("\nstopping: calls under way may take up to 10 s more; once again stops at once\n")
    sys.stderr.flush()
    loop.call_soon_threadsafe(task.cancel)


@contextlib.contextmanager
def _on_signals(handle: Callable[[int, Any], None]) -> Iterator[None]:
    """Handle Ctrl-C and SIGTERM within; the handlers of `signal`, unlike a loop's, run even while the loop is busy."""
    previous: dict[int, Any] = {}
    try:
        with contextlib.suppress(ValueError):  # a thread other than the main one gets no signals
            previous |= {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        yield
    except asyncio.CancelledError:
        previous.clear()  # the process is about to end, and the second signal may come only now
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def finish(run: Run, *, as_json: bool, then: str = "") -> None:
    """Say what came out. Raises `Incomplete` when calls that may succeed later are missing."""
    info = run.info
    if "shard" in info:
        sys.stdout.write((json.dumps({"run": info}) if as_json else _of_shard(run.directory, info)) + "\n")
    elif as_json:
        paths = {name: str(run.directory / name) for name in ("items.parquet", "metrics.json", "report.html")}
        sys.stdout.write(json.dumps({"run": info, "metrics": run.metrics, "files": paths}, allow_nan=False) + "\n")
    else:
        sys.stdout.write(run.table(then) + "\n")
    if info["status"] != "complete":
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(info["errors"].items())) or "limit reached"
        raise Incomplete(f"the run is incomplete: {kinds}", hint=f"go on with: doxa resume {run.directory}")


def _of_shard(directory: Path, info: dict[str, Any]) -> str:
    """What came out of a shard, and how the run goes on."""
    rows = {
        "shard": f"{info['shard']} of {info['title']}",
        "told": f"{info['told']:,} of its {info['asked']:,} questions, of {info['questions']['n']:,} in all",
        "calls": f"{info['calls']:,}, and {info['calls_saved']:,} answered from the journal",
        "folder": str(directory),
        "then": f"doxa merge {directory.parent}/shard-* --out {directory.parent}",
        "": f"doxa resume {directory.parent}",
    }
    return "\n".join(f"{name:<8}{value}" for name, value in rows.items())


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Send doxa's own notices to stderr, one plain line each."""
    logger = logging.getLogger("doxa")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def dry_run(options: Options, shard: str | None = None) -> dict[str, Any]:
    """What the run, or one shard of it, would ask: calls, tokens and (where a price is known) money.

    These are upper bounds but for estimators that are `open_ended`: how many calls those make is not known beforehand.
    """
    from doxa import flow
    from doxa.engines.parts.filling import Shard
    from doxa.loading import load_model
    from doxa.types import Usage

    part = Shard.read(shard) if shard else None
    model = load_model(options.model)
    plan = make_plan(options, model)
    plan = part.of_plan(plan) if part else plan
    counted = asyncio.run(flow.count_by_role(plan, model.capabilities))
    usage = sum(counted.values(), Usage())
    costs = [price and price.cost(counted[role]) for role, price in _prices(options).items()]
    cost = None if None in costs else sum(each for each in costs if each)
    return {
        **({"shard": str(part)} if part else {}),
        "questions": len(plan.questions),
        "estimators": list(plan.estimators),
        "left_out": dict(plan.left_out),
        "few": {label: sum(each.id in ids for each in plan.questions) for label, ids in plan.few.items()},
        "calls": usage.calls,
        "open_ended": [label for label, each in plan.estimators.items() if getattr(each, "open_ended", False)],
        "tokens_in": usage.tokens_in,
        "tokens_out_at_most": usage.tokens_out,
        "cost_at_most": cost,
        "price": "unknown price" if cost is None else "known",
    }


def told(counted: dict[str, Any]) -> str:
    """What a dry run counted, for a terminal of 80 columns."""
    from doxa.cli.layout import grouped

    cost, open_ended = counted["cost_at_most"], counted["open_ended"]
    bound = "about" if open_ended else "at most"
    rows = {
        "shard": counted.get("shard", ""),
        "questions": f"{counted['questions']:,}",
        "estimators": ", ".join(counted["estimators"]),
        "on few": "; ".join(f"{n}: {', '.join(names)}" for n, names in grouped(counted["few"]).items()),
        "left out": "; ".join(f"{why}: {', '.join(names)}" for why, names in grouped(counted["left_out"]).items()),
        "calls": f"{bound} {counted['calls']:,}",
        "tokens in": f"about {counted['tokens_in']:,}",
        "tokens out": f"{bound} {counted['tokens_out_at_most']:,}",
        "cost": "unknown: the model is not in prices.yaml" if cost is None else f"{bound} {cost:,.2f} USD",
        "no bound": f"more where longer texts are written, with {', '.join(open_ended)}" if open_ended else "",
    }
    lines = (
        textwrap.wrap(f"{name:<12}{value}", 80, subsequent_indent=" " * 12) for name, value in rows.items() if value
    )
    return "\n".join(line for wrapped in lines for line in wrapped)
