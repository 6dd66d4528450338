"""A cluster, or this machine, through Ray Data."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from doxa.engines.parts.actor import Actor, stop_sign
from doxa.engines.parts.tally import Tally, decode
from doxa.engines.parts.task import Recipe, Task, check_workers, recipes
from doxa.errors import UsageError
from doxa.types import Question

BATCH = 16
"""Questions of a batch; an actor has several batches under way."""
ROUNDS = 4
"""Blocks for each actor: one that is slow, or was started again, takes fewer."""
LARGEST = 4096
"""Questions of the largest block, which is what has to be gone through again when an actor dies."""
_PATIENCE = 20.0
"""Seconds the actors have to end in order: calls under way may take ten, and they look up now and then."""


@dataclass(frozen=True)
class Ray:
    """Shares the questions among `workers` actors of Ray Data; one that dies is started again by Ray.

    The cluster is the one at `RAY_ADDRESS`, else one of this machine for as long as the run takes, without dashboard
    and telemetry. Every actor has `cpus` cores and `gpus` GPUs, and a journal of its own in the run's folder, which all
    nodes must see under the same path. The limits of calls and of cost are split evenly. Needs
    `pip install 'doxa[ray]'`.
    """

    workers: int = 2
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        """Check the number of workers, and that there is Ray before a run's folder is begun. Raises `UsageError`."""
        check_workers(self.workers)
        _library()

    async def fill(self, task: Task, report: Callable[[Tally], None]) -> Tally:
        """Ask the questions of the task in the actors."""
        ray = _library()
        latest: dict[str, Tally] = {}
        loop = asyncio.get_running_loop()

        def told(row: dict[str, Any]) -> None:
            word, worker = decode(row["word"]), row["worker"]
            word.check()
            latest[worker] = max(latest.get(worker, word.tally), word.tally, key=lambda tally: tally.taken)
            report(Tally.total(latest.values()))

        recipe = recipes(task, self.workers, self.cpus)[-1]

        def run() -> None:
            for row in self._rows(ray, recipe, task.plan.questions):
                asyncio.run_coroutine_threadsafe(_called(told, row), loop).result()

        begun, sign = not ray.is_initialized(), stop_sign(replace(task, name=recipe.name))
        work = asyncio.ensure_future(asyncio.to_thread(run))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            sign.touch()
            await asyncio.wait([work], timeout=_PATIENCE)
            raise
        finally:
            sign.unlink(missing_ok=True)
            if begun:
                ray.shutdown()
        return Tally.total(latest.values())

    def _rows(self, ray: Any, recipe: Recipe, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        """What the actors say after every batch. Runs in a thread, so that Ray leaves the signals of this process."""
        if not questions:  # of a shard, where there are more of them than questions
            return
        if not ray.is_initialized():
            address = os.environ.get("RAY_ADDRESS")
            size = {} if address else {"num_cpus": self.workers * self.cpus, "include_dashboard": False}
            ray.init(address or "local", log_to_driver=False, logging_level="error", **size)
        ray.data.DataContext.get_current().enable_progress_bars = False
        blocks = max(self.workers * ROUNDS, -(-len(questions) // LARGEST))
        rows = [{"question": msgspec.json.encode(question)} for question in questions]
        data = ray.data.from_items(rows, override_num_blocks=min(blocks, len(rows)))
        yield from data.map_batches(
            Actor,
            fn_constructor_args=(msgspec.json.encode(recipe),),
            batch_size=BATCH,
            compute=ray.data.ActorPoolStrategy(size=self.workers),
            num_cpus=self.cpus,
            num_gpus=self.gpus or None,
        ).iter_rows()


async def _called(told: Callable[[dict[str, Any]], None], row: dict[str, Any]) -> None:
    told(row)


def _library() -> Any:
    """Ray, told not to report how it is used, and to speak of errors alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(f"the engine ray cannot be used: {error}", hint="pip install 'doxa[ray]'") from error
    return ray
