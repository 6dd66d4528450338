"""`doxa delegate`: its table, its JSON, its file of policies, what is refused."""

import json
from pathlib import Path

import pytest

from doxa.cli.main import _run
from doxa.state import revive
from doxa.types import Case

MOCKS = ("--local", "mock/hasty", "--remote", "mock/honest", "--limit", "20", "--epochs", "3")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_fits_and_says_what_it_is(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert _run(["delegate", "bank:private_notes", *MOCKS, "--penalties", "0,1", "-o", "policies.json"]) == 0
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    for name in ("all local", "all remote", "redact all", "random", "λ = 0", "λ = 1", "policies.json"):
        assert name in out
    kept = json.loads((folder / "policies.json").read_text())
    policies = [revive(each) for each in kept["policies"]]
    assert [each.penalty for each in policies] == [0, 1]
    assert policies[0].decide(Case(None, details={"pii": 1.0})).reason.startswith("learnt")


def test_json_alone_on_stdout_and_the_same_command_again_pays_nothing(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    command = ["delegate", "bank:private_notes", *MOCKS, "--penalties", "0.3", "--json"]
    assert _run(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["schema"] == "doxa.delegation/1" and len(first["rows"]) == 5 and first["questions"] == 20
    assert Path(first["folder"]).parent == Path("runs") and sum(first["calls"].values()) > 0
    assert _run(command) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["rows"] == first["rows"] and sum(again["calls"].values()) == 0


def test_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    same = {"question": "On which day of the week is it?", "answer": "Friday"}
    rows = [{"id": f"{i}", **same, "context": f"It is on Friday.\nCall 212 555 014{i}."} for i in range(6)]
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert _run(["delegate", "mine.jsonl", *MOCKS, "--penalties", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["private"] == 6 and told["questions"] == 6


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("bank:private_notes", "--penalties", "a"), 2, "no list of penalties"),
        (("bank:private_notes", "--penalties", "1,1"), 2, "no list of penalties"),
        (("bank:private_notes", "--penalties=-1"), 2, "penalty=-1"),
        (("bank:arithmetic",), 2, "no context"),
        (("bank:private_notes", "--region", "XX"), 2, "no region"),
        (("bank:private_notes", "--max-calls", "5"), 3, "the same command goes on"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, said: str
) -> None:
    assert _run(["delegate", *options, *MOCKS]) == code
    err = capsys.readouterr().err
    assert said in err and "hint:" in err
