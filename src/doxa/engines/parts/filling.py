"""What an engine does within a run: fills the journal before the run is told, or asks one shard of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from doxa import flow, runs
from doxa.engines.local import Local
from doxa.engines.parts.tally import Tally
from doxa.engines.parts.task import Task, dealt
from doxa.errors import UsageError
from doxa.inquiry import Caller

if TYPE_CHECKING:
    from doxa.engines import Engine

_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number`, from 1, of a run in `of` parts."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """The shard that is written `2/8`. Raises `UsageError` for anything else."""
        found = _SHARD.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise UsageError(f"{text!r} is no shard", hint="the second of eight is 2/8")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """Name of its folder within that of the run: one shard's files are no other's, wherever it runs."""
        return f"shard-{self.number}-of-{self.of}"

    def of_plan(self, plan: flow.Plan) -> flow.Plan:
        """The plan of its questions alone."""
        return replace(plan, questions=dealt(plan.questions, self.of)[self.number - 1])


async def assay(engine: Engine, task: Task, *, progress: runs.Progress | None = None, **told: Any) -> runs.Run:
    """`flow.assay`, the questions being asked by an engine first where that has workers."""
    fill = None if isinstance(engine, Local) else partial(_fill, engine=engine, task=task, progress=progress)
    return await flow.assay(
        task.model,
        task.plan,
        out=task.out,
        budget=task.budget,
        prices=task.prices,
        progress=progress,
        fill=fill,
        **told,
    )


async def _fill(
    callers: Mapping[str, Caller], *, engine: Engine, task: Task, progress: runs.Progress | None
) -> dict[str, Any]:
    """Let an engine ask; what its workers paid counts as paid by `callers`. Returns what run.json says of it."""
    report, latest = await _reporter(task, progress)
    try:
        await engine.fill(task, report)
    finally:
        tally = latest()
        tally.hand_to(callers["subject"])
        budget = task.budget
        budget.calls += tally.taken
        budget.cost = None if budget.cost is None or tally.cost is None else budget.cost + tally.cost
    return {"name": type(engine).__name__.lower(), **asdict(engine), "restarted": tally.restarts}  # type: ignore[call-overload]


async def _reporter(task: Task, progress: runs.Progress | None) -> tuple[Callable[[Tally], None], Callable[[], Tally]]:
    """Where tallies go: into `progress`; and the latest of them."""
    expected = (await flow.count(task.plan, task.model.capabilities)).calls if progress else 0
    tallies = [Tally()]

    def report(tally: Tally) -> None:
        tallies[0] = tally
        if progress:
            errors = sum(tally.failures.values())
            total = len(task.plan.questions)
            progress(runs.Standing(total, tally.done, tally.usage.calls, expected, tally.saved, errors))

    return report, lambda: tallies[0]


async def ask_shard(
    engine: Engine,
    task: Task,
    shard: Shard,
    *,
    fresh: bool = False,
    notes: Mapping[str, Any] | None = None,
    progress: runs.Progress | None = None,
) -> runs.Run:
    """Ask one shard of a run in a folder of its own within the run's; `merge` then makes them one."""
    plan, out = task.plan, task.out / shard.folder
    own = shard.of_plan(plan)
    part = replace(task, plan=own, out=out)
    run_id = plan.run_id(task.model)
    with runs.claimed(out, run_id, fresh=fresh):
        info = flow.describe(run_id, task.model, plan, notes or {}) | {"shard": str(shard)}
        runs.write_json(out / runs.INFO, {**info, "status": "running"})
        report, latest = await _reporter(part, progress)
        started, status = time.monotonic(), "failed"
        try:
            tally = await engine.fill(part, report)
            status = "incomplete" if tally.unfinished or tally.done < len(own.questions) else "complete"
        except (asyncio.CancelledError, KeyboardInterrupt):
            status = "interrupted"
            raise
        finally:
            tally = latest()
            info |= {"seconds": round(time.monotonic() - started, 1), "asked": len(own.questions), "told": tally.done}
            info |= {"calls": tally.usage.calls, "calls_saved": tally.saved, "errors": dict(tally.failures)}
            runs.write_json(out / runs.INFO, {**info, "status": status})
    return runs.Run(out)
