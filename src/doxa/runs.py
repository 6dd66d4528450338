"""The files of a run, and `Run`, which reads them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import Incomplete, UsageError
from doxa.files import draft, write
from doxa.journal import files as journal_files
from doxa.journal import locked

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "doxa.run/1"
_ROOM = "make room, then the same command goes on"
_ROWS = 4096
"""Rows of a group in Parquet: who reads or writes a large table holds some groups in memory."""
INFO, ITEMS, METRICS, REPORT = "run.json", "items.parquet", "metrics.json", "report.html"
ACTS, ACTS_MEASURED = "acts.parquet", "acts.json"
"""What was done about the answers, where something was."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished (or interrupted) run in its folder."""

    directory: Path

    @classmethod
    def open(cls, directory: Path | str) -> Run:
        """The run in `directory`. Raises `UsageError` when there is none."""
        run = cls(Path(directory))
        if not (run.directory / INFO).is_file():
            raise UsageError(f"{directory} holds no run", hint="a run's folder has a run.json; see `doxa run --help`")
        if run.info.get("schema") != SCHEMA:
            raise UsageError(f"{directory}/{INFO} is not of schema {SCHEMA}", hint="use the doxa that wrote it")
        return run

    @property
    def info(self) -> dict[str, Any]:
        """What was run: configuration, versions, counts (`run.json`)."""
        return _read_json(self.directory / INFO)

    @property
    def metrics(self) -> dict[str, Any]:
        """Every measurement (`metrics.json`)."""
        return _read_json(self.directory / METRICS)

    def frame(self) -> pl.DataFrame:
        """One row per question and estimator (`items.parquet`)."""
        import polars as pl

        path = self.directory / ITEMS
        if not path.is_file():
            raise UsageError(f"{self.directory} has no {ITEMS} yet", hint=f"finish it: doxa resume {self.directory}")
        return pl.read_parquet(path)

    def table(self, then: str = "") -> str:
        """The summary for a terminal of 80 columns; `then` is a command to try next."""
        from doxa.report.terminal import summary

        return summary(self.info, self.metrics, page=str(self.directory / REPORT), then=then)

    def report(self, out: Path | str | None = None) -> Path:
        """Write the page; returns where it is."""
        from doxa.report.html import write_html

        target = Path(out) if out else self.directory / REPORT
        write_html(self.directory, target)
        return target

    def _repr_html_(self) -> str:
        from doxa.report.html import render_html

        return render_html(self.info, self.metrics)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path} is missing", hint=f"finish the run: doxa resume {path.parent}") from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", hint="the same `doxa run` command writes it anew"
        ) from error
    if not isinstance(value, dict):
        raise UsageError(f"{path} is not a JSON object", hint="the same `doxa run` command writes it anew")
    return value


def write_json(path: Path, value: object) -> None:
    """Write JSON whole or not at all; refuses NaN and infinities. Raises `Incomplete` when there is no room."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write(text, path, error=Incomplete, hint=_ROOM)


def write_parquet(path: Path, frame: pl.DataFrame | pl.LazyFrame) -> None:
    """Write Parquet whole or not at all, a lazy frame piece by piece. Raises `Incomplete` when there is no room."""
    import polars as pl

    with draft(path, error=Incomplete, hint=_ROOM) as part:
        try:
            frame.lazy().sink_parquet(part, row_group_size=_ROWS)
        except pl.exceptions.PolarsError as error:
            raise Incomplete(f"{path} cannot be written: {error}", hint=_ROOM) from error


@contextlib.contextmanager
def claimed(directory: Path, run_id: str, *, fresh: bool) -> Iterator[None]:
    """Hold `directory` as the folder of run `run_id`, for this process alone.

    The same run is resumed; another run's folder is refused unless `fresh`, which removes the run that is there.
    Raises `UsageError` for a folder that cannot be used, `JournalError` while another process uses it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot create {directory}: {error.strerror}", hint="choose another --out") from error
    with locked(directory):
        _check(directory, run_id, fresh)
        # No other file of the folder is touched: it may be the user's.
        for pattern in (
            ".*.part*",
            *(("journal*.sqlite*", INFO, ITEMS, METRICS, REPORT, ACTS, ACTS_MEASURED) if fresh else ()),
        ):
            for stale in sorted(directory.glob(pattern), reverse=True):  # a log goes before its journal
                stale.unlink()
        yield


def _check(directory: Path, run_id: str, fresh: bool) -> None:
    """Refuse a folder that holds anything but this run."""
    if (directory / INFO).is_file():
        found = Run.open(directory).info.get("id")
        if not fresh and found != run_id:
            hint = "questions, model, its address or settings differ: choose another --out, or start anew with --fresh"
            raise UsageError(f"{directory} holds another run ({found})", hint=hint)
    elif not journal_files(directory) and any(not path.match(f".{INFO}.*.part") for path in directory.iterdir()):
        shards = f"merge its shards: doxa merge {directory}/shard-* --out {directory}"
        hint = shards if any(directory.glob("shard-*")) else "choose another --out"
        raise UsageError(f"{directory} is not empty and holds no run", hint=hint)


Progress = Callable[["Standing"], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is."""

    questions: int
    questions_done: int
    calls: int
    calls_expected: int
    calls_saved: int
    errors: int
