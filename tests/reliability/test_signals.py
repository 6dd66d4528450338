"""Ctrl-C and SIGTERM: said at once, ended in order, resumable; the second time at once."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Child, Nursery, Server, command, questions, recorded

from doxa.upkeep import verify

AT_ONCE = 1.0
"""Seconds until the message, and until the end after a second signal; 0.2 where nothing else is to be done."""
LATER = 5.0
"""The same in the quick tests, beside which others run."""
OFTEN = [pytest.param(number, 25, marks=pytest.mark.slow) for number in (signal.SIGINT, signal.SIGTERM)]


def until(true: Callable[[], bool], seconds: float = 20.0) -> float:
    """Seconds until it is true."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds
        time.sleep(0.001)
    return time.monotonic() - started


def interrupted(dear: Server, nursery: Nursery, run: Path, number: int, within: float = AT_ONCE) -> Child:
    """A run that has asked and was sent a signal; it has said so within so many seconds."""
    before = dear.paid()
    file = questions(run.with_suffix(".jsonl"), 200)
    child = nursery.start(command(file, run))
    until(lambda: dear.paid() > before)
    child.send(number)
    assert until(lambda: "stopping" in child.said) < within
    return child


def check_resumable(nursery: Nursery, run: Path, number: int, child: Child) -> None:
    assert child.wait() == 128 + number, child.said
    assert "Traceback" not in child.said
    assert not any(health.damaged or health.error for health in verify(run))


@pytest.mark.parametrize("dear", [(0.1, 0.0)], indirect=True)
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), *OFTEN])
def test_once_lets_calls_arrive(tmp_path: Path, dear: Server, nursery: Nursery, number: int, times: int) -> None:
    for time_ in range(times):
        run = tmp_path / f"run-{time_}"
        before = dear.paid()
        child = interrupted(dear, nursery, run, number, AT_ONCE if times > 1 else LATER)
        check_resumable(nursery, run, number, child)
        assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
        assert len(recorded(run)) == dear.settled() - before  # what was in flight arrived and was kept
    assert nursery.run(["resume", run])[0] == 0
    assert json.loads((run / "run.json").read_text())["status"] == "complete"
    assert len(recorded(run)) == 200


@pytest.mark.parametrize("dear", [(60.0, 0.0)], indirect=True)
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), *OFTEN])
def test_twice_ends_at_once(tmp_path: Path, dear: Server, nursery: Nursery, number: int, times: int) -> None:
    for time_ in range(times):
        run, within = tmp_path / f"run-{time_}", AT_ONCE if times > 1 else LATER
        child = interrupted(dear, nursery, run, number, within)
        sent = child.send(number)
        check_resumable(nursery, run, number, child)
        assert time.monotonic() - sent < within


@pytest.mark.slow
@pytest.mark.parametrize("dear", [(60.0, 0.0)], indirect=True)
def test_a_call_that_does_not_arrive_is_awaited_for_ten_seconds(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    child = interrupted(dear, nursery, tmp_path / "run", signal.SIGINT)
    assert 9 < until(lambda: child.ended()) < 13
    check_resumable(nursery, tmp_path / "run", signal.SIGINT, child)
