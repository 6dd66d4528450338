"""This process alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from doxa.engines.parts.tally import Tally
from doxa.engines.parts.task import Task
from doxa.engines.parts.telling import tell_all


@dataclass(frozen=True)
class Local:
    """Asks in this process: hundreds of questions at a time, which is as much as one server or one model bears."""

    async def fill(self, task: Task, report: Callable[[Tally], None]) -> Tally:
        """Ask all questions of the task here."""
        return await tell_all(task, report)
