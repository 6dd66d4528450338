"""Disks that are full, read-only or gone, and limits of the system: one sentence, exit code 3, nothing lost."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import Nursery, Server, command, questions, recorded

from doxa.merging import merge
from doxa.upkeep import verify


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A disk of this size at `folder`; skips the test where none can be mounted."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remounted(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True, capture_output=True)


def check_stopped(code: int, said: str) -> None:
    """One sentence with its next step, and the exit code of what can be gone on with."""
    assert code == 3, said
    errors = [line for line in said.splitlines() if line.startswith(("error:", "hint:"))]
    assert [line.split(":")[0] for line in errors] == ["error", "hint"], said
    assert "Traceback" not in said and "locked" not in said


def check_ends(nursery: Nursery, order: list[str], acknowledged: Path) -> None:
    """The same command ends the run, and nothing that was handed on had to be paid for again."""
    run = Path(order[-1])
    before = set(recorded(run))
    assert len(before) >= len(acknowledged.read_text().splitlines())
    code, said = nursery.run(order)
    assert code == 0, said
    assert before <= set(recorded(run))
    assert json.loads((run / "run.json").read_text())["status"] == "complete"
    assert all(health.sound for health in verify(run))


@pytest.mark.parametrize("size", ["256k", pytest.param("128k", marks=pytest.mark.slow)])
def test_a_full_disk_stops_and_a_larger_one_goes_on(tmp_path: Path, dear: Server, nursery: Nursery, size: str) -> None:
    disk, acknowledged = tmp_path / "disk", tmp_path / "acknowledged"
    with mounted(disk, size):
        order = command(questions(tmp_path / "questions.jsonl", 400), disk / "run")
        check_stopped(*nursery.run(order, acknowledged=acknowledged))
        assert not any(health.damaged or health.error for health in verify(disk / "run"))
        paid = dear.settled()
        assert 0 <= paid - len(recorded(disk / "run")) <= 16
        check_stopped(*nursery.run(order))  # there is still no room
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True, capture_output=True)
        check_ends(nursery, order, acknowledged)


@pytest.mark.slow
def test_room_for_the_answers_but_not_for_the_tables(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    disk, acknowledged = tmp_path / "disk", tmp_path / "acknowledged"
    order = command(questions(tmp_path / "questions.jsonl", 60), disk / "run")
    with mounted(disk, "16m"):
        while not (disk / "run" / "items.parquet").exists():
            assert nursery.run([*order, "--max-calls", "50"], acknowledged=acknowledged)[0] == 3
        (disk / "run" / "items.parquet").unlink()
        used = shutil.disk_usage(disk).used
        for room in (8, 24, 40, 64):
            subprocess.run(["mount", "-o", f"remount,size={used + room * 1024}", disk], check=True)
            code, said = nursery.run(order)
            if code:
                check_stopped(code, said)
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True, capture_output=True)
        check_ends(nursery, order, acknowledged)


@pytest.mark.slow
def test_a_disk_that_turns_read_only_stops(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    disk, acknowledged = tmp_path / "disk", tmp_path / "acknowledged"
    with mounted(disk, "16m"):
        order = command(questions(tmp_path / "questions.jsonl", 40), disk / "run")
        assert nursery.run([*order, "--max-calls", "20"], acknowledged=acknowledged)[0] == 3
        remounted(disk, "ro")
        check_stopped(*nursery.run(order))
        remounted(disk, "rw")
        check_ends(nursery, order, acknowledged)


def test_a_journal_on_a_disk_that_is_read_only_is_read(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    with mounted(tmp_path / "disk", "16m"):
        run, out = tmp_path / "disk" / "run", tmp_path / "out"
        assert nursery.run(command(questions(tmp_path / "questions.jsonl", 20), run))[0] == 0
        remounted(tmp_path / "disk", "ro")
        assert all(health.sound for health in verify(run))
        merged = merge([run], out)
        assert (merged.answers, merged.damaged) == (len(recorded(run)), [])
        assert sorted(recorded(out)) == sorted(recorded(run))


def started(nursery: Nursery, dear: Server, order: list[str], then: Callable[[], object]) -> tuple[int, str]:
    """How a run ended to which something happened after its twentieth call."""
    child = nursery.start(order)
    while dear.paid() < 20 and not child.ended():
        time.sleep(0.002)
    then()
    return child.wait(), child.said


@pytest.mark.parametrize("dear", [(0.05, 0.0)], indirect=True)
def test_a_folder_that_is_removed_stops(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    run = tmp_path / "run"
    order = command(questions(tmp_path / "questions.jsonl", 400), run)
    code, said = started(nursery, dear, order, lambda: shutil.rmtree(run))
    check_stopped(code, said)
    assert "removed" in said
    code, said = nursery.run(order)
    assert code == 0, said
    assert len(recorded(run)) == 400


@pytest.mark.slow
@pytest.mark.parametrize("size", [40_000, 150_000])
def test_files_that_may_not_grow_stop(tmp_path: Path, dear: Server, nursery: Nursery, size: int) -> None:
    order = command(questions(tmp_path / "questions.jsonl", 400), tmp_path / "run")
    acknowledged = tmp_path / "acknowledged"
    check_stopped(*nursery.run(order, acknowledged=acknowledged, limits={"RLIMIT_FSIZE": size}))
    check_ends(nursery, order, acknowledged)


@pytest.mark.slow
@pytest.mark.parametrize("files", [64, 24, 20])
def test_too_few_files_at_a_time_end_or_stop(tmp_path: Path, dear: Server, nursery: Nursery, files: int) -> None:
    order = command(questions(tmp_path / "questions.jsonl", 60), tmp_path / "run", connections=100)
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    code, said = nursery.run(order, acknowledged=acknowledged, limits={"RLIMIT_NOFILE": files})
    if code:
        check_stopped(code, said)
    check_ends(nursery, order, acknowledged)


@pytest.mark.slow
def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path, dear: Server, nursery: Nursery) -> None:
    order = command(questions(tmp_path / "questions.jsonl", 40), tmp_path / "run")
    assert nursery.run([*order, "--max-calls", "20"])[0] == 3
    for path in (tmp_path / "run").iterdir():
        os.utime(path, (time.time() + 3600,) * 2)
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**info, "started": "2199-01-01T00:00:00+00:00"}))
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    check_ends(nursery, order, acknowledged)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seconds"] >= 0
