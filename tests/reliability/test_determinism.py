"""The same questions and seed end the same, however many calls are under way and in whatever order answers come."""

import random
import re
import signal
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from harness import Forks, Nursery, command, questions, serving

SEVERAL = "perplexity,self_consistency,semantic_entropy,p_true_samples,stated_two_turn,stated_top_k"
SESSION = re.compile(r'<p class="(facts|imprint)">|<dt>(Calls|Time)</dt>')
"""Lines of the page that tell of the last session: its calls and seconds, when it was, and a title that is cut where it
is long, as it is with a long name of the folder."""
CONNECTIONS = re.compile(r"max_connections=\d+")


def ran(nursery: Nursery, order: list[str], kills: int = 0) -> dict[str, Any]:
    """The end of a run that was killed so often: its rows, its measurements, its page."""
    run = Path(order[order.index("--out") + 1])
    drawn = random.Random(5)
    for _ in range(kills):
        before = nursery.server.paid()
        child = nursery.start(order)
        while nursery.server.paid() == before and not child.ended():
            time.sleep(0.002)
        assert not child.ended(drawn.uniform(0.02, 0.1)), child.said
        child.send(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    code, said = nursery.run(order)
    assert code == 0, said
    page = (run / "report.html").read_text()
    assert len(SESSION.findall(page)) == 4
    end = {
        "items": pl.read_parquet(run / "items.parquet").sort("question", "estimator"),
        "metrics": (run / "metrics.json").read_bytes(),
        "page": [CONNECTIONS.sub("", line) for line in page.splitlines() if not SESSION.match(line)],
    }
    run.rename(run.with_name(f"{run.name}-{len(list(run.parent.iterdir()))}"))  # the next has the same command
    return end


def check_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Equal but for the lines that tell of the last session."""
    assert one["items"].equals(other["items"])
    assert one["metrics"] == other["metrics"]
    assert one["page"] == other["page"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [8, pytest.param(150, marks=pytest.mark.slow)])
def test_the_end_is_the_same(tmp_path: Path, forks: Forks, number: int) -> None:
    file = questions(tmp_path / "questions.jsonl", number)
    with serving(tmp_path / "bill", 0.0, 0.02) as server:
        nursery = Nursery(forks, tmp_path, server)
        sixteen, one = (command(file, tmp_path / "run", SEVERAL, connections) for connections in (16, 1))
        first = ran(nursery, sixteen)
        check_same(first, ran(nursery, one))
        if number > 8:
            check_same(first, ran(nursery, sixteen))
            check_same(first, ran(nursery, sixteen, kills=5))
            check_same(first, in_shards(nursery, sixteen))


def in_shards(nursery: Nursery, order: list[str]) -> dict[str, Any]:
    """The end of a run that was made in four parts, the last first."""
    run = Path(order[-1])
    for part in (4, 3, 2, 1):
        code, said = nursery.run([*order, "--shard", f"{part}/4"])
        assert code == 0, said
    code, said = nursery.run(["merge", *sorted(run.glob("shard-*")), "--out", run])
    assert code == 0, said
    paid = nursery.server.settled()
    end = ran(nursery, order)
    assert nursery.server.settled() == paid
    return end
