"""The frame of the benchmarks: what it computes, what it writes, how it plays."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))

from side import Result, Row, Table, Target  # noqa: E402
from side import __main__ as all_of_them  # noqa: E402
from side.environments import last_line  # noqa: E402
from side.page import cell, losses, number, page, section, shown  # noqa: E402

TABLE = Table("Sums", (Row("doxa", (2.0, 1.0, 3.0), 64), Row("slow", (4.0, 4.0), 16), Row("fast", (0.5,), 32)), "sums")
BENCHMARK = '''"""A trial.

Of the frame.
"""
from side import Result, Row, Side, Table, main, play


def ours(setup):
    print("noise on standard output")
    return lambda: sum(setup)


def broken(setup):
    raise ValueError("cannot read /some/where/file.txt")


def late(setup):
    import time
    return lambda: time.sleep(20)


def benchmark(quick):
    sides = Side("doxa", FIRST, [1, 2]), Side("again", ours, [3]), Side("bad", broken), Side("late", late)
    played = play(sides, rounds=2, limit=2)
    rows = tuple(Row(name, tuple(turns.answers)) for name, turns in played.items())
    return Result((Table("Sums", rows),), failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
'''


def found(**result) -> dict:
    one = {
        "command": "python benchmarks/x.py",
        "about": "Title.\n\nText.",
        "broken": "",
        "quick": False,
        "minutes": 1.25,
    }
    return {**one, "result": json.loads(json.dumps(asdict(Result(**result))))}


def run(tmp_path: Path, first: str) -> tuple[int, dict]:
    file = tmp_path / "trial.py"
    file.write_text(f"import sys\nsys.path.append({str(FOLDER)!r})\n" + BENCHMARK.replace("FIRST", first))
    command = [sys.executable, str(file), "--quick", "--json", str(tmp_path / "found.json")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, json.loads((tmp_path / "found.json").read_text())


def test_a_ratio_is_of_medians_for_one_unit_of_work():
    assert TABLE.rows[0].median == 2
    assert TABLE.ratio("slow") == (4 / 16) / (2 / 64)
    assert TABLE.ratio("absent") is None
    with pytest.raises(ValueError, match="no values of x"):
        Row("x", ())


def test_only_rivals_that_are_ahead_are_losses():
    assert TABLE.losses() == ["Sums: fast needs 0.50 times what doxa needs."]
    assert Table("Sums", (Row("doxa", (2,)), Row("bound", (1,), rival=False))).losses() == []


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("x", 6, at_least=6), True),
        (Target("x", 5.9, at_least=6), False),
        (Target("x", 1.3, at_most=1.3), True),
        (Target("x", 1.31, at_most=1.3), False),
        (Target("x", None, at_most=1.3), None),
    ],
)
def test_targets(target, met):
    assert target.met is met


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.012345, "0.0123"), (1.5, "1.5"), (99.96, "100"), (12345.6, "12,346"), (2e-5, "2.00e-05")],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_cells_cannot_break_a_table():
    assert cell("a | b\n<c>\\") == "a \\| b &lt;c>\\\\"
    table = Table("A | B", (Row("x|y", (1.0,), note="one\ntwo"),))
    assert all(line.count(" | ") == 4 for line in shown(table).splitlines()[2:])


def test_what_processes_say_is_told_without_paths():
    said = "Traceback\n  File '/a/b.py'\nValueError: no /home/me/data/x.csv at https://pypi.org/simple\nwarning: 3"
    assert last_line(said) == "ValueError: no x.csv at https://pypi.org/simple"
    assert last_line("") == "no message"


def test_a_section_says_all_that_was_found():
    text = section(
        found(tables=(TABLE,), targets=(Target("faster", None, at_least=6),), notes=("N.",), failures=("F",))
    )
    for part in ("## Title\n\nText.", "$ python benchmarks/x.py", "| slow | 4 | 4 – 4 | 4 | 8 |", "- N.", "- F"):
        assert part in text
    assert "| faster | at least 6 | – | not measured |" in text


def test_a_page_counts_targets_and_losses():
    targets = (Target("faster", 5, at_least=6), Target("near", 0, at_most=1))
    text = page({"Python": "3.11"}, "1 May 2026", [found(targets=targets, loses=("It is big.",)), found()])
    assert "1 of 2 targets are met." in text
    assert "- *Title.* faster: 5 where at least 6 is the target.\n- *Title.* It is big." in text
    assert "say nothing" not in text and "could not be measured" not in text
    assert "In nothing that was measured" in losses([found()])


def test_a_page_names_what_failed():
    text = page(
        {}, "1 May 2026", [{**found(), "broken": "doxa fails", "quick": True}, found(failures=("rival fails",))]
    )
    assert "2 sides or benchmarks could not be measured" in text
    assert "could not be run: doxa fails." in text and "- rival fails" in text and "say nothing" in text


def test_sides_take_turns_and_rivals_may_fail(tmp_path):
    code, told = run(tmp_path, "ours")
    assert code == 0
    assert [row["values"] for row in told["result"]["tables"][0]["rows"]] == [[3, 3], [3, 3]]
    assert told["result"]["failures"] == ["bad fails: ValueError: cannot read file.txt", "late takes longer than 2 s"]
    assert told["quick"] and told["result"]["versions"]["doxa"].startswith("Python 3")


def test_a_benchmark_fails_with_its_own_side(tmp_path):
    code, told = run(tmp_path, "broken")
    assert code == 1
    assert told["broken"] == "doxa fails: ValueError: cannot read file.txt"


def test_a_benchmark_that_cannot_start_is_on_the_page(tmp_path):
    file = tmp_path / "crash.py"
    file.write_text('"""Crash.\n\nAt once.\n"""\nimport no_such_package\n')
    told = all_of_them.run(file, tmp_path, quick=True)
    assert told["broken"] == "ModuleNotFoundError: No module named 'no_such_package'"
    assert "## Crash\n\nAt once." in section(told)
