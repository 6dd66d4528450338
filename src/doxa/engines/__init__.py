"""Who asks: this process, several of this machine, a cluster.

An engine puts into the journals of a run's folder the answers that telling its questions takes, and nothing else. The
run is then told here from what is there, as it is without an engine: so the rows are the same whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Protocol, cast

from doxa import registry
from doxa.engines.parts.tally import Tally
from doxa.engines.parts.task import Task
from doxa.errors import UsageError


class Engine(Protocol):
    """Asks the questions of a task: a frozen dataclass whose fields are knobs."""

    async def fill(self, task: Task, report: Callable[[Tally], None]) -> Tally:
        """Put the answers into journals of the task's folder; tell `report` now and then how far that is.

        What fails is left out. Raises `Refused`, `UsageError` and `JournalError` as a run without workers does.
        """
        ...


def make_engine(spelled: str, workers: int | None = None) -> Engine:
    """The engine that is spelled `processes` or `processes(restarts=5)`, perhaps with so many workers.

    Raises `UsageError` for one that does not exist or has no workers.
    """
    engine: Any = registry.make("engines", spelled)
    if workers is not None and "workers" not in {knob.name for knob in fields(engine)}:
        raise UsageError(f"the engine {spelled} has no workers", hint="choose --engine processes or ray")
    return cast(Engine, engine if workers is None else replace(engine, workers=workers))
