"""Killed at random moments and at every write, then run again: nothing acknowledged is lost, nothing is paid for twice
but what was in flight, and the end is that of a run that was never killed."""

import json
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from harness import CONNECTIONS, Nursery, Server, command, questions, recorded, serving
from polars.testing import assert_frame_equal

from doxa.upkeep import verify

SEVERAL = "self_consistency,semantic_entropy,p_true_samples,stated_two_turn,stated_top_k,deed"


def unkilled(folder: Path, order: list[str], nursery: Nursery) -> None:
    """The same command against a server of its own, in `folder`."""
    with serving(folder.with_name("bill-unkilled")) as server:
        code, said = replace(nursery, server=server).run([*order[:-1], folder])
    assert code == 0, said


def assert_same_end(one: Path, other: Path) -> None:
    assert_frame_equal(pl.read_parquet(one / "items.parquet"), pl.read_parquet(other / "items.parquet"))
    assert (one / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()
    assert json.loads((one / "run.json").read_text())["status"] == "complete"


class Witness:
    """What must hold after every death: what was acknowledged is there, and what was lost was in flight."""

    def __init__(self, dear: Server, run: Path) -> None:
        self.dear, self.run, self.acknowledged = dear, run, run.with_name("acknowledged")
        self.lost = 0
        self.most_lost = 0

    def check(self) -> None:
        rows = recorded(self.run)
        assert len(set(rows)) == len(rows)
        handed_on = self.acknowledged.read_text().split("\n")[:-1] if self.acknowledged.exists() else []
        assert len(set(handed_on)) == len(handed_on) <= len(rows)
        lost = self.dear.settled() - len(rows) - self.lost
        assert 0 <= lost <= CONNECTIONS
        self.lost += lost
        self.most_lost = max(self.most_lost, lost)
        assert not rows or not any(health.damaged or health.error for health in verify(self.run))


def killed_at_random(dear: Server, nursery: Nursery, order: list[str], kills: int) -> Witness:
    """Kill a run so often, 50 to 400 ms after its first call, and let it end."""
    drawn, witness = random.Random(7), Witness(dear, Path(order[-1]))
    for _ in range(kills):
        before = dear.paid()
        child = nursery.start(order, acknowledged=witness.acknowledged)
        while dear.paid() == before and not child.ended():
            time.sleep(0.002)  # the kill is to fall within the paying part, not within the start of Python
        assert not child.ended(drawn.uniform(0.05, 0.4)), child.said
        child.send(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        witness.check()
    code, said = nursery.run(order, acknowledged=witness.acknowledged)
    assert code == 0, said
    return witness


def check_kills(dear: Server, nursery: Nursery, order: list[str], kills: int) -> None:
    run = Path(order[-1])
    unkilled(run.with_name("unkilled"), order, nursery)
    witness = killed_at_random(dear, nursery, order, kills)
    assert_same_end(run, run.with_name("unkilled"))
    rows = recorded(run)
    assert len(rows) == len(set(rows)) == len(recorded(run.with_name("unkilled")))
    paid = dear.settled()
    assert paid - len(rows) == witness.lost <= kills * CONNECTIONS
    assert all(health.sound for health in verify(run))
    print(f"{kills} kills, {len(rows)} answers, {paid} paid: {witness.lost} lost, at most {witness.most_lost} at once")


@pytest.mark.parametrize("dear", [(0.0, 0.4)], indirect=True)
def test_fifteen_kills_lose_nothing(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    file = questions(tmp_path / "questions.jsonl", 16)
    check_kills(dear, nursery, command(file, tmp_path / "run", SEVERAL), 15)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("dear", [(0.0, 0.6)], indirect=True)
def test_two_hundred_kills_lose_nothing(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    file = questions(tmp_path / "questions.jsonl", 3000)
    check_kills(dear, nursery, command(file, tmp_path / "run"), 200)


def killed_at_writes(
    dear: Server, nursery: Nursery, order: list[str], *, resumed: bool, step: int = 1
) -> Iterator[int]:
    """Kill a run at its first write, its second …, until it has no more: each time anew, or each time the resumed."""
    number, code = 1, -signal.SIGKILL
    witness = Witness(dear, Path(order[-1]))
    while code == -signal.SIGKILL:
        if not resumed:
            witness = Witness(dear, witness.run.with_name(f"run-{number}"))
            witness.lost = dear.settled()
        arguments = [*order[:-1], witness.run]
        code, said = nursery.run(
            arguments, deadly=number, folder=witness.run, acknowledged=None if not resumed else witness.acknowledged
        )
        witness.check()
        if not resumed and code:
            code_then, said_then = nursery.run(arguments)
            assert code_then == 0, said_then
        if code in (0, -signal.SIGKILL):
            yield number
        number += step
    assert code == 0, said


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("step", "resumed"),
    [(11, True), pytest.param(1, True, marks=pytest.mark.slow), pytest.param(1, False, marks=pytest.mark.slow)],
)
def test_killed_at_every_write(tmp_path: Path, dear: Server, nursery: Nursery, step: int, resumed: bool) -> None:
    order = command(questions(tmp_path / "questions.jsonl", 12), tmp_path / "run")
    unkilled(tmp_path / "unkilled", order, nursery)
    points = 0
    for number in killed_at_writes(dear, nursery, order, resumed=resumed, step=step):
        points += 1
        if not resumed:
            assert_same_end(tmp_path / f"run-{number}", tmp_path / "unkilled")
    if resumed:
        assert_same_end(tmp_path / "run", tmp_path / "unkilled")
    assert points * step > 20
    print(f"{points} kill points")
