"""The door of the library: `assay`, also from inside a running event loop, and its async twin `aassay`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from doxa.choosing import make_plan
from doxa.engines import make_engine
from doxa.engines.parts.filling import assay as assay_by
from doxa.engines.parts.task import Origin, Task
from doxa.inquiry import Asking, Budget
from doxa.loading import load_model
from doxa.runs import Run
from doxa.services import load_services
from doxa.types import Estimator, Model, Question


async def aassay(
    model: Model | str,
    questions: Sequence[Question],
    *,
    estimators: str | Sequence[str | Estimator] = "auto",
    out: Path | str | None = None,
    seed: int = 0,
    max_tokens: int = 64,
    temperature: float = 0.0,
    decoding: str | None = None,
    max_calls: int | None = None,
    judge: Model | str | None = None,
    entailment: str | None = None,
    embedding: str | None = None,
    engine: str = "local",
    workers: int | None = None,
) -> Run:
    """Assay a model on questions: ask, grade, estimate, calibrate, measure; leaves a run in `out` (`runs/<id>`).

    The same call again resumes: what was answered is not asked twice. Raises `UsageError` for unknown estimators,
    `Refused` when the provider refuses for good, `JournalError` when the run cannot be written. A run that misses calls
    which may succeed later has the status "incomplete" in `run.info`. `entailment` and `embedding` name services
    (`judge`, `nli/PATH`; `minilm`, `encoder/PATH`); `judge` is the model in that role, else the model itself. Models
    are objects or names, as `load_model` takes them; an `engine` with workers (`processes`, `ray`) needs names.
    """
    subject = load_model(model) if isinstance(model, str) else model
    second = load_model(judge) if isinstance(judge, str) else judge
    try:
        plan = await make_plan(
            subject,
            questions,
            estimators,
            Asking(seed, temperature, max_tokens, decoding=decoding),
            max_calls=max_calls,
            services=load_services(entailment, embedding),
            judge=second,
        )
        folder = Path(out) if out else Path("runs") / plan.run_id(subject)
        origin = None
        if isinstance(model, str) and (judge is None or isinstance(judge, str)):
            origin = Origin(model, judge, entailment, embedding)
        return await assay_by(make_engine(engine, workers), Task(subject, plan, folder, origin, Budget(max_calls)))
    finally:
        for given, made in ((model, subject), (judge, second)):
            if isinstance(given, str) and made is not None:
                await made.close()


def assay(model: Model | str, questions: Sequence[Question], **options: Any) -> Run:
    """`aassay` for synchronous code and notebooks; takes the same options."""
    return _wait(aassay(model, questions, **options))


def _wait(work: Coroutine[Any, Any, Run]) -> Run:
    """Run to the end, in a thread of its own when a loop already runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    found: list[Run] = []
    failed: list[BaseException] = []

    def target() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # handed to the caller's thread below
            failed.append(error)

    thread = threading.Thread(target=target, name="doxa-assay")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
