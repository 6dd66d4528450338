"""Progress of a run on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from doxa.runs import Progress, Standing

_PLAIN_EVERY = 10.0
"""Seconds between two plain lines."""


@contextlib.contextmanager
def showing(what: str = "questions") -> Iterator[Progress]:
    """A function to call with the standing, as often as one likes; `what` are the things that are done."""
    if sys.stderr.isatty():
        with _bar(what) as progress:
            yield progress
    else:
        yield _plain(what)


def line(standing: Standing, seconds: float, what: str = "questions") -> str:
    """One line: questions (or `what` is done), calls, rate, errors, time left."""
    done = standing.calls + standing.calls_saved
    rate = standing.calls / seconds if seconds > 0 else 0.0
    parts = [
        f"{standing.questions_done}/{standing.questions} {what}",
        f"{done}/{max(done, standing.calls_expected)} calls",
        f"{rate:.1f}/s",
    ]
    if standing.calls_saved:
        parts.append(f"{standing.calls_saved} from the journal")
    if standing.errors:
        parts.append(f"{standing.errors} errors")
    left = standing.calls_expected - done
    if rate > 0 and left > 0 and standing.questions_done < standing.questions:
        parts.append(f"about {_clock(left / rate)} left")
    return " · ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"


def _plain(what: str) -> Progress:
    started = time.monotonic()
    last = started

    def show(standing: Standing) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PLAIN_EVERY or standing.questions_done == standing.questions:
            last = now
            sys.stderr.write(line(standing, now - started, what) + "\n")
            sys.stderr.flush()

    return show


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    started = time.monotonic()
    columns = (BarColumn(bar_width=20), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def show(standing: Standing) -> None:
            done = standing.calls + standing.calls_saved
            text = line(standing, time.monotonic() - started, what)
            bars.update(task, completed=done, total=max(done, standing.calls_expected), description=text)

        yield show
