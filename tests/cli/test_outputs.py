"""What verbs write: never over what they read, never a file of a kind that was not meant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from doxa.cli.main import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def doxa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Said]:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["doxa", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return Said(int(end.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = (f"q{i % 50},{'ab'[i // 50]},{i % 10 / 10},{int(i % 3 > 0)}" for i in range(100))
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["id,model,confidence,correct", *rows, ""]))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "items.parquet").write_bytes(b"kept")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "score log.csv -o log.csv",
        "score log.csv -o ./run/../log.csv",
        "score log.csv -o link.csv",
        "score lm_eval:log.csv -o log.csv",
        "calibrate log.csv -o log.csv",
        "apply cal.json log.csv -o log.csv",
        "apply cal.json log.csv -o cal.json",
        "cascade log.csv --across model --id id --price a=1 --price b=2 -o log.csv",
        "sets run --policy conformal_set -o run/items.parquet",
        "score run -o run/items.parquet",
        "budget run --cost 1 -o run/items.parquet",
        "delegate log.csv --local mock/hasty --remote mock/honest -o log.csv",
        "train abstention log.csv --model mock/honest -o log.csv",
    ],
)
def test_an_output_never_replaces_an_input(command: str, log: Path, run: Path, doxa: Callable[..., Said]) -> None:
    (log.parent / "link.csv").symlink_to(log)
    (log.parent / "cal.json").write_text("{}")
    files = [log, run / "items.parquet", log.parent / "cal.json"]
    before = [file.read_bytes() for file in files]
    said = doxa(*command.split())
    assert said.code == 2 and "would replace the input" in said.err and "hint:" in said.err
    assert [file.read_bytes() for file in files] == before


def test_an_output_that_is_a_folder_is_refused(log: Path, doxa: Callable[..., Said]) -> None:
    said = doxa("score", log, "-o", ".")
    assert said.code == 2 and ". cannot be written: it is a folder" in said.err


def test_an_output_that_is_no_input_is_written_again(log: Path, doxa: Callable[..., Said]) -> None:
    for _ in range(2):
        assert doxa("score", log, "-o", "found.json").code == 0
    assert '"doxa.score/1"' in (log.parent / "found.json").read_text()


def test_score_writes_pages_and_json_and_says_so(log: Path, doxa: Callable[..., Said]) -> None:
    for name, begins in (("p.html", "<!doctype"), ("p.htm", "<!doctype"), ("p.json", "{")):
        said = doxa("score", log, "-o", name)
        assert said.code == 0 and said.out.endswith(f"{name}: written\n")
        assert (log.parent / name).read_text().startswith(begins)
    assert "written" not in doxa("score", log, "-o", "p.json", "--json").out
    for name in ("p.pdf", "p"):
        said = doxa("score", log, "-o", name)
        assert said.code == 2 and f"cannot write {name}" in said.err and not (log.parent / name).exists()


def test_apply_to_a_run_names_no_option_that_it_lacks(log: Path, run: Path, doxa: Callable[..., Said]) -> None:
    assert doxa("calibrate", log, "-o", "cal.json").code == 0
    said = doxa("apply", "cal.json", run, "-o", "x.csv")
    assert said.code == 2 and "run is a run" in said.err and "doxa calibrate RUN --estimator NAME" in said.err
