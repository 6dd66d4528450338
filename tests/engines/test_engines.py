"""Whoever asks, the rows are the same; whoever is killed, what was answered is not paid for again."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import doxa
from doxa import registry
from doxa.engines import make_engine
from doxa.engines.parts.tally import Tally
from doxa.engines.parts.task import Task
from doxa.engines.parts.telling import open_teller
from doxa.engines.ray import Ray
from doxa.errors import Refused, UsageError
from doxa.flow import Plan
from doxa.journal import entries, files
from doxa.types import Question
from doxa.upkeep import verify

SERVER = Path(__file__).parent.parent / "fake_server.py"
CONNECTIONS = 8
T = TypeVar("T")
FEW = f"openai/fake-1(max_connections={CONNECTIONS})"
SLOW = "openai/fake-1(max_connections=4)"
KILLS = 3
RAY = pytest.param(
    "ray",
    marks=[
        pytest.mark.slow,
        pytest.mark.filterwarnings("ignore"),  # Ray warns of itself
        pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: pip install 'doxa[ray]'"),
    ],
)


class Server:
    """A server in a process of its own, and its bill."""

    def __init__(self, url: str, bill: Path) -> None:
        self.url, self.bill = url, bill

    @property
    def paid(self) -> int:
        """Lines of the bill: this server never fails, so each is an answer."""
        return self.bill.read_bytes().count(b"\n") if self.bill.exists() else 0

    def start(self, file: Path, out: Path, *options: str, model: str = "openai/fake-1") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "doxa.cli.main", "run", str(file), "--model", model, "--out", str(out)]
        command += ["--estimators", "self_consistency(samples=4),stated_two_turn", *options]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": "test"}


@contextlib.contextmanager
def serving(bill: Path, *options: str) -> Iterator[Server]:
    command = [sys.executable, str(SERVER), "--bill", str(bill), "--latency", "0.1", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield Server(process.stdout.readline().strip(), bill)
        finally:
            process.terminate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "bill.jsonl") as started:
        yield started


def questions(path: Path, n: int) -> Path:
    rows = ({"id": f"q{i}", "question": f"Which tree is number {i}?", "answer": "amber"} for i in range(n))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def finish(process: subprocess.Popen[bytes], code: int = 0) -> str:
    said, _ = process.communicate(timeout=250)
    assert process.returncode == code, said.decode()
    return said.decode()


def workers(parent: int) -> list[int]:
    """Processes below `parent` that ask."""
    above = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            above[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    below = {parent}
    for _ in range(4):
        below |= {process for process, its in above.items() if its in below}
    return sorted(process for process in below if asks(process))


def asks(process: int) -> bool:
    with contextlib.suppress(OSError):
        said = Path(f"/proc/{process}/cmdline").read_bytes()
        return said.startswith(b"ray::MapWorker") or b"doxa.engines.parts.worker" in said
    return False


def writes(process: int) -> bool:
    """Whether it has opened its journal: what comes before that is the start of Python."""
    with contextlib.suppress(OSError):
        return any("journal-" in os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir())
    return False


def ended(processes: list[int]) -> bool:
    """Whether they are gone, after half a minute at most."""
    deadline = time.monotonic() + 30
    while any(asks(each) for each in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(asks(each) for each in processes)


def until(found: Callable[[], T], process: subprocess.Popen[bytes]) -> T:
    while not (what := found()):
        assert process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.005)
    return what


def check_same_rows(one: Path, other: Path) -> None:
    assert_frame_equal(pl.read_parquet(one / "items.parquet"), pl.read_parquet(other / "items.parquet"))
    assert (one / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()


@pytest.mark.parametrize("engine", ["processes", RAY])
def test_a_worker_killed_three_times_changes_no_row_and_pays_for_what_was_in_flight(
    engine: str, tmp_path: Path, server: Server
) -> None:
    file = questions(tmp_path / "questions.jsonl", 200 if engine == "ray" else 100)
    finish(server.start(file, tmp_path / "local"))
    needed, out = server.paid, tmp_path / "many"

    process = server.start(file, out, "--engine", engine, "--workers", "2", model=FEW)
    others = until(lambda: workers(process.pid), process)[:1]
    for _ in range(KILLS):
        victim = until(lambda: [each for each in workers(process.pid) if each not in others and writes(each)], process)[
            0
        ]
        others.append(victim)
        before = server.paid
        until(lambda before=before: server.paid > before + 20, process)
        os.kill(victim, signal.SIGKILL)
    finish(process)

    check_same_rows(tmp_path / "local", out)
    rows = [str(entry.request) for entry in entries(out)]
    assert len(rows) == len(set(rows)) == needed
    assert 0 <= server.paid - 2 * needed <= KILLS * CONNECTIONS
    assert all(health.sound for health in verify(out))
    info = doxa.Run.open(out).info
    assert (info["status"], info["engine"]["workers"]) == ("complete", 2)
    assert info["engine"]["restarted"] == (KILLS if engine == "processes" else 0)
    assert len(files(out)) == 1 + 2
    assert info["calls"] == info["paid"]["calls"] == needed
    assert info["calls_saved"] == 0


@pytest.mark.parametrize("engine", ["local", "processes", RAY])
def test_every_engine_gives_the_same_rows(engine: str, tmp_path: Path) -> None:
    asked = doxa.bank("planted", n=30)
    chosen = ["self_consistency", "p_true", "stated_two_turn", "self_certainty"]
    doxa.assay("mock/honest", asked, estimators=chosen, out=tmp_path / "one")
    run = doxa.assay("mock/honest", asked, estimators=chosen, out=tmp_path / "other", engine=engine)
    check_same_rows(tmp_path / "one", run.directory)
    paid = run.info["calls"]
    assert (run.info["status"], run.info["calls_saved"]) == ("complete", 0)
    least, most = {"local": (1, 1), "processes": (3, 3), "ray": (2, 3)}[
        engine
    ]  # one actor may be done before the other
    assert least <= len(files(run.directory)) <= most
    again = doxa.assay("mock/honest", asked, estimators=chosen, out=tmp_path / "other")
    assert (again.info["calls"], again.info["calls_saved"]) == (0, paid)


def test_a_limit_holds_for_all_workers_together(tmp_path: Path) -> None:
    asked = doxa.bank("planted", n=12)
    told = {"estimators": ["self_consistency"], "out": tmp_path, "engine": "processes", "workers": 2}
    run = doxa.assay("mock/honest", asked, max_calls=31, **told)
    assert (run.info["status"], run.info["paid"]["calls"]) == ("incomplete", 31)
    assert doxa.assay("mock/honest", asked, **told).info["calls"] == 12 * 11 - 31


@pytest.mark.parametrize("engine", ["processes", RAY])
def test_what_a_provider_refuses_is_said_once(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "bill.jsonl", "--key", "right") as strict:
        monkeypatch.setenv("OPENAI_BASE_URL", strict.url)
        monkeypatch.setenv("OPENAI_API_KEY", "wrong")
        asked = doxa.bank("planted", n=4)
        with pytest.raises(Refused, match="401") as refused:
            doxa.assay("openai/fake-1", asked, estimators=["self_consistency"], out=tmp_path / "run", engine=engine)
    assert refused.value.hint
    assert doxa.Run.open(tmp_path / "run").info["status"] == "failed"


def test_a_failure_counts_once_whoever_met_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Question(f"q{n}", f"Which tree is number {n}?", ("amber",)) for n in range(4)]
    bad = json.dumps({asked[2].text: 400})
    with serving(tmp_path / "bill.jsonl", "--faults", bad) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        chosen = {"estimators": ["sequence_probability", "stated_two_turn"]}
        one = doxa.assay("openai/fake-1", asked, **chosen, out=tmp_path / "one")
        many = doxa.assay("openai/fake-1", asked, **chosen, out=tmp_path / "many", engine="processes", workers=1)
    assert many.info["errors"] == one.info["errors"] == {"bad_request": 1}
    assert many.info["model"] == one.info["model"]
    check_same_rows(one.directory, many.directory)


def test_a_file_of_the_working_folder_is_no_module_of_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("msgspec.py").write_text("raise SystemExit('this is not msgspec')")
    asked = doxa.bank("planted", n=2)
    run = doxa.assay("mock/honest", asked, estimators=["p_true"], out="run", engine="processes(restarts=0)", workers=1)
    assert run.info["status"] == "complete"
    assert len(files(run.directory)) == 1 + 1  # the worker's was begun


def test_a_judge_that_is_the_model_itself_is_billed_once_by_a_worker_that_starts_again(tmp_path: Path) -> None:
    model = doxa.load_model("mock/honest")
    plan = Plan(doxa.bank("planted", n=2), {"p_true": registry.build("estimators", "p_true")}, judge=model)

    async def life() -> Tally:
        teller = open_teller(Task(model, plan, tmp_path, name="worker"))
        await teller.tell(plan.questions)
        await teller.close()
        return teller.tally

    first, second = asyncio.run(life()), asyncio.run(life())
    assert first.usage.calls == first.taken > 0
    assert (second.usage, second.taken) == (first.usage, first.taken)


def test_a_shard_without_questions_needs_no_actors() -> None:
    assert list(Ray._rows(None, None, None, [])) == []  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "number", "code"),
    [
        ("processes", signal.SIGINT, 130),
        ("processes", signal.SIGTERM, 143),
        pytest.param("ray", signal.SIGINT, 130, marks=RAY.marks),
    ],
)
def test_workers_end_in_order_with_the_run(engine: str, number: int, code: int, tmp_path: Path, server: Server) -> None:
    file, out = questions(tmp_path / "questions.jsonl", 100), tmp_path / "run"
    process = server.start(file, out, "--engine", engine, model=FEW)
    until(lambda: server.paid > 50, process)
    asking = workers(process.pid)
    process.send_signal(number)
    assert "stopping" in finish(process, code)
    assert ended(asking)
    info = doxa.Run.open(out).info
    assert info["status"] == "interrupted"
    # What was in flight arrived and was kept.
    assert server.paid == info["paid"]["calls"] == len(list(entries(out)))
    resumed = [sys.executable, "-m", "doxa.cli.main", "resume", str(out)]
    subprocess.run(resumed, env=server.environment, check=True, capture_output=True, timeout=200)
    assert server.paid == 600


@pytest.mark.slow
def test_workers_do_not_outlive_a_run_that_is_killed(tmp_path: Path, server: Server) -> None:
    file, out = questions(tmp_path / "questions.jsonl", 100), tmp_path / "run"
    process = server.start(file, out, "--engine", "processes", model=FEW)
    until(lambda: server.paid > 50, process)
    asking = workers(process.pid)
    process.kill()
    process.communicate()
    assert ended(asking)
    assert server.paid < 600
    assert server.paid == len(list(entries(out)))
    finish(server.start(file, out, "--engine", "processes", model=FEW))
    assert server.paid == 600


@pytest.mark.slow
def test_what_a_worker_leaves_that_dies_too_often_is_asked_here(tmp_path: Path, server: Server) -> None:
    file = questions(tmp_path / "questions.jsonl", 100)
    finish(server.start(file, tmp_path / "one"))
    process = server.start(file, tmp_path / "other", "--engine", "processes(restarts=0)", model=FEW)
    victim = until(lambda: [each for each in workers(process.pid) if writes(each)], process)[0]
    os.kill(victim, signal.SIGKILL)
    finish(process)
    check_same_rows(tmp_path / "one", tmp_path / "other")
    assert 0 <= server.paid - 2 * 600 <= CONNECTIONS


@pytest.mark.slow
def test_two_workers_are_nearly_twice_as_fast_where_one_waits(tmp_path: Path, server: Server) -> None:
    file = questions(tmp_path / "questions.jsonl", 100)
    seconds = {}
    for number in (1, 2):
        process = server.start(
            file, tmp_path / f"{number}", "--engine", "processes", "--workers", f"{number}", model=SLOW
        )
        before = server.paid
        until(lambda before=before: server.paid > before, process)
        started = time.monotonic()
        until(lambda before=before: server.paid == before + 600, process)
        seconds[number] = time.monotonic() - started
        finish(process)
    assert seconds[1] / seconds[2] > 1.7


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "local", "workers": 2}, "local has no workers"),
        ({"engine": "processes", "workers": 0}, "workers must be at least 1"),
        ({"engine": "procesess"}, "no 'procesess' in engines"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        doxa.assay("mock/honest", doxa.bank("planted", n=2), **options)
    assert error.value.hint


def test_workers_cannot_be_given_an_object(tmp_path: Path) -> None:
    model = doxa.load_model("mock/honest")
    with pytest.raises(UsageError, match="an object") as error:
        doxa.assay(model, doxa.bank("planted", n=2), estimators=["p_true"], out=tmp_path / "run", engine="processes")
    assert "doxa.assay(" in error.value.hint


def test_without_ray_the_next_step_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="ray cannot be used") as error:
        doxa.assay("mock/honest", doxa.bank("planted", n=2), estimators=["p_true"], out=tmp_path / "run", engine="ray")
    assert error.value.hint == "pip install 'doxa[ray]'"
    assert not (tmp_path / "run").exists()


def test_an_engine_may_be_spelled_with_its_knobs() -> None:
    assert make_engine("processes(restarts=5)", 3) == make_engine("processes(restarts=5, workers=3)")
