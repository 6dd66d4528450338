"""Parts of a run on several machines, and what makes them one."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import doxa
from doxa import registry
from doxa.cli import merge as command
from doxa.cli.main import app
from doxa.cli.running import Options, dry_run, execute, told
from doxa.engines.parts.filling import Shard
from doxa.engines.parts.task import Member, dealt, described, made
from doxa.errors import Incomplete, UsageError
from doxa.journal import Row, checksum, drafted, entries, files, rows_of
from doxa.merging import merge
from doxa.types import Confidence, Question
from doxa.upkeep import put_in_place, verify

ASKED = {"questions": "bank:planted", "model": "mock/honest", "estimators": "self_consistency,p_true", "limit": 24}


def rows_in(folder: Path) -> dict[bytes, Row]:
    return {row.key: row for path in files(folder) for row in rows_of(path)}


def journal(folder: Path, rows: list[Row]) -> Path:
    folder.mkdir(parents=True)
    put_in_place(drafted(folder / "journal.sqlite", rows), folder / "journal.sqlite")
    return folder


def test_shards_merged_are_the_run(tmp_path: Path) -> None:
    whole = execute(Options(**ASKED, out=str(tmp_path / "whole")))
    out = tmp_path / "many"
    shards = [execute(Options(**ASKED, out=str(out)), shard=f"{number}/3") for number in (1, 2, 3)]
    assert [shard.info["status"] for shard in shards] == ["complete"] * 3
    assert sum(shard.info["told"] for shard in shards) == 24
    assert sum(shard.info["calls"] for shard in shards) == whole.info["calls"]
    with pytest.raises(UsageError, match="holds no run") as error:
        execute(Options(**ASKED, out=str(out)))
    assert f"doxa merge {out}/shard-*" in error.value.hint

    merged = merge([shard.directory for shard in shards], out)
    assert (merged.added, merged.repeated, merged.conflicts) == (whole.info["calls"], 0, 0)
    assert doxa.Run.open(out).info["status"] == "incomplete"
    told = execute(Options(**ASKED, out=str(out)))
    assert (told.info["calls"], told.info["status"]) == (0, "complete")
    assert told.frame().equals(whole.frame())
    assert told.metrics == whole.metrics


def test_a_shard_goes_on_where_it_was(tmp_path: Path) -> None:
    first = execute(Options(**ASKED, out=str(tmp_path), max_calls=20), shard="2/2")
    assert (first.info["status"], first.info["shard"], first.info["calls"]) == ("incomplete", "2/2", 20)
    second = execute(Options(**ASKED, out=str(tmp_path)), shard="2/2")
    assert (second.info["status"], second.info["told"], second.info["asked"]) == ("complete", 12, 12)
    assert len(rows_in(second.directory)) == 20 + second.info["calls"]


def test_a_shard_may_be_asked_by_processes(tmp_path: Path) -> None:
    run = execute(Options(**ASKED, out=str(tmp_path), engine="processes"), shard="1/2")
    alone = execute(Options(**ASKED, out=str(tmp_path / "alone")), shard="1/2")
    assert rows_in(run.directory).keys() == rows_in(alone.directory).keys()
    assert run.info["status"] == "complete"


def test_four_shards_that_overlap_one_torn_one_of_another_version(tmp_path: Path) -> None:
    run = execute(Options(**ASKED, out=str(tmp_path / "run")))
    rows = sorted(rows_in(run.directory).values())
    size = len(rows) // 4
    overlap = round(0.3 * size)
    parts = [rows[max(0, number * size - overlap) : (number + 1) * size] for number in range(4)]
    folders = [journal(tmp_path / f"{number}", part) for number, part in enumerate(parts)]
    torn, older = folders[1] / "journal.sqlite", folders[3] / "journal.sqlite"
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    with sqlite3.connect(older) as connection:
        connection.execute("PRAGMA user_version=0")
    connection.close()
    changed = parts[0][0]._replace(reply=parts[0][0].reply.replace('"text":"', '"text":"not '))
    changed = changed._replace(checksum=checksum(*changed[:4]))
    folders.append(journal(tmp_path / "conflict", [changed]))

    out = tmp_path / "out"
    merged = merge(folders, out)
    found = rows_in(out)
    kept = {row.key: row for row in (*parts[0], *parts[2])}
    assert kept.items() <= found.items() <= {row.key: row for row in rows}.items()
    assert {row.key for row in parts[3]} - kept.keys() - {row.key for row in parts[1]} - found.keys()
    assert merged.answers == merged.added == len(found)
    assert merged.conflicts == 1
    assert [health.path for health in merged.damaged] == [torn]
    assert list(merged.left_out) == [str(older)]
    assert "version 0" in merged.left_out[str(older)]
    assert all(health.sound for health in verify(out))
    again = merge(folders, out)
    assert (again.added, again.answers) == (0, len(found))


def test_the_command_says_what_was_merged_and_what_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = execute(Options(**ASKED, out=str(tmp_path / "run")))
    command.merge([run.directory], tmp_path / "out")
    number = len(rows_in(run.directory))
    assert f"{number:,} answers, {number:,} of them new; 0 were there already" in capsys.readouterr().out
    file = journal(tmp_path / "torn", list(rows_in(run.directory).values())) / "journal.sqlite"
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(Incomplete) as error:
        command.merge([file.parent], tmp_path / "out", as_json=True)
    assert "doxa resume" in error.value.hint
    said = json.loads(capsys.readouterr().out)
    assert (said["answers"], said["damaged"][0]["path"]) == (number, str(file))


def test_folders_of_different_runs_are_refused_but_for_those_that_name_none(tmp_path: Path) -> None:
    one = execute(Options(**ASKED, out=str(tmp_path / "one")))
    other = execute(Options(**{**ASKED, "limit": 12}, out=str(tmp_path / "other")))
    for sources, out in (([one.directory, other.directory], tmp_path / "out"), ([other.directory], one.directory)):
        with pytest.raises(UsageError, match=r"one is of run .*other of run") as error:
            merge(sources, out)
        assert one.info["id"] in str(error.value)
        assert other.info["id"] in str(error.value)
    assert not (tmp_path / "out").exists()
    (other.directory / "run.json").unlink()
    merge([one.directory, other.directory], tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()
    again = execute(Options(**ASKED, out=str(tmp_path / "out")))
    assert again.info["calls"] == 0
    assert len(list(entries(tmp_path / "out"))) == len(rows_in(one.directory) | rows_in(other.directory))


def test_shards_that_are_missing_or_stopped_early_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = execute(Options(**ASKED, out=str(tmp_path), max_calls=20), shard="1/3").directory
    command.merge([first], tmp_path / "out")
    said = capsys.readouterr().out
    assert "missing: shards 2/3, 3/3 not among these folders" in said
    assert "incomplete: shard 1/3 stopped early" in said
    others = [execute(Options(**ASKED, out=str(tmp_path)), shard=f"{number}/3").directory for number in (2, 3)]
    command.merge([first, *others], tmp_path / "out", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["missing"], told["incomplete"]) == ([], ["1/3"])


def test_a_dry_run_of_shards_counts_their_questions() -> None:
    whole = dry_run(Options(**ASKED))
    shards = [dry_run(Options(**ASKED), f"{number}/4") for number in (1, 2, 3, 4)]
    assert [(counted["shard"], counted["questions"]) for counted in shards] == [(f"{i}/4", 6) for i in (1, 2, 3, 4)]
    assert sum(counted["calls"] for counted in shards) == whole["calls"]
    assert "shard" not in whole
    assert "1/4" in told(shards[0])


def test_a_folder_is_not_merged_with_itself(tmp_path: Path) -> None:
    first = execute(Options(**ASKED, out=str(tmp_path)), shard="1/3").directory
    with pytest.raises(UsageError, match="nothing to merge"):
        merge([first], first)


def test_merging_again_counts_nothing_twice(tmp_path: Path) -> None:
    run = execute(Options(**ASKED, out=str(tmp_path / "run")))
    rows = list(rows_in(run.directory).values())
    early, late = journal(tmp_path / "early", rows[:90]), journal(tmp_path / "late", rows[60:150])
    out = tmp_path / "out"
    assert merge([early], out).added == 90
    first = execute(Options(**ASKED, out=str(out)))
    merged = merge([late, early], out)
    assert (merged.answers, merged.added, merged.repeated) == (len(rows), 0, 180)
    again = execute(Options(**ASKED, out=str(out)))
    assert again.info["paid"] == first.info["paid"] == run.info["paid"]
    assert sum(1 for path in files(out) for _ in rows_of(path)) == len(rows)


def test_a_folder_that_cannot_say_what_it_is_gives_its_answers_all_the_same(tmp_path: Path) -> None:
    run = execute(Options(**ASKED, out=str(tmp_path / "run")))
    (run.directory / "run.json").write_text('{"id": ')
    assert merge([run.directory], tmp_path / "out").answers == len(rows_in(run.directory))
    assert not (tmp_path / "out" / "run.json").exists()


def test_merging_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Iterator[Row]:
        yield Row(b"k", "m", "r", "r", b"c")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        drafted(tmp_path / "journal.sqlite", broken())
    assert not list(tmp_path.iterdir())


def test_a_shard_is_resumed_from_within_and_not_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = execute(Options(**ASKED, out=str(tmp_path), max_calls=20), shard="2/2")
    monkeypatch.chdir(first.directory)
    assert CliRunner().invoke(app, ["resume", "."]).exit_code == 0
    assert first.info["status"] == "complete"
    assert not list(first.directory.glob("shard-*"))
    monkeypatch.chdir(tmp_path)
    first.directory.rename(tmp_path / "mine")
    refused = CliRunner().invoke(app, ["resume", "mine"])
    assert isinstance(refused.exception, UsageError)
    assert "shard-2-of-2" in refused.exception.hint


def test_what_holds_no_journal_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no journal"):
        merge([tmp_path], tmp_path / "out")


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "a/b", "-1/2", "1/0"])
def test_what_is_no_shard_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard") as error:
        Shard.read(text)
    assert "2/8" in error.value.hint


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40), st.integers(1, 6))
def test_shares_are_all_questions_once_and_contexts_stay_together(contexts: list[str], number: int) -> None:
    asked = [Question(f"{place}", text="?", context=context or None) for place, context in enumerate(contexts)]
    shares = dealt(asked, number)
    assert Counter(each.id for share in shares for each in share) == Counter(each.id for each in asked)
    for context in "abc":
        assert sum(any(each.context == context for each in share) for share in shares) <= 1
    if not any(contexts):
        sizes = [len(share) for share in shares]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("name", registry.names("estimators"))
def test_every_estimator_survives_its_recipe(name: str) -> None:
    estimator = registry.build("estimators", name)
    member = described(name, estimator)
    assert (made(Member(**json.loads(json.dumps({"name": member.name, "knobs": member.knobs})))), name) == (
        estimator,
        member.name,
    )


def test_an_estimator_of_nobody_is_refused() -> None:
    class Mine:
        async def estimate(self, inquiry: object) -> Confidence:
            return Confidence(1.0)

    with pytest.raises(UsageError, match="cannot make the estimator mine again"):
        described("mine", Mine())  # type: ignore[arg-type]
