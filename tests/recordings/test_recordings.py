"""Other tools' logs: their fields become questions, replies and columns, and what is wrong is named."""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from doxa.door import assay
from doxa.errors import DataError
from doxa.loading import load_model
from doxa.questions import load
from doxa.recordings import recordings, split
from doxa.scoring import open_log, read_table, score_log


def lines(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def likelihoods(doc: int, target: str, *pairs: tuple[str, float], acc: float = 1.0) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "target": target,
        "arguments": {f"gen_args_{i}": {"arg_0": f"Q{doc}:", "arg_1": f" {o}"} for i, (o, _) in enumerate(pairs)},
        "resps": [[[str(log), "False"]] for _, log in pairs],
        "filtered_resps": [[str(log), "False"] for _, log in pairs],
        "filter": "none",
        "metrics": ["acc"],
        "acc": acc,
    }


def generated(doc: int, target: str, *replies: str, right: float = 1.0) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"Q{doc}:", "arg_1": {"until": ["\n"]}}},
        "resps": [list(replies)],
        "filtered_resps": [replies[0]],
        "filter": "none",
        "metrics": ["exact_match"],
        "exact_match": right,
    }


def sample(id_: str | int, reply: str, epoch: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "epoch": epoch,
        "input": f"{id_}?",
        "target": "seven",
        "messages": [{"role": "user", "content": f"{id_}?"}, {"role": "assistant", "content": reply}],
        "output": {"choices": [{"message": {"role": "assistant", "content": reply}}]},
        "scores": {"match": {"value": "C" if reply == "seven" else "I", "metadata": {"distance": 0.25}}},
        "metadata": {"level": 3},
        **more,
    }


def zipped(path: Path, samples: list[dict[str, Any]], by_zstandard: bool = False) -> Path:
    """An archive as Inspect writes it; Zstandard by hand, since Python 3.11 does not know it."""
    if not by_zstandard:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for i, one in enumerate(samples):
                archive.writestr(f"samples/{i}_epoch_1.json", json.dumps(one))
            archive.writestr("header.json", "{}")
        return path
    out, directory = io.BytesIO(), b""
    for i, one in enumerate(samples):
        name, data = f"samples/{i}_epoch_1.json".encode(), json.dumps(one).encode()
        packed = zstandard.ZstdCompressor().compress(data)
        head = struct.pack("<HHHHHIIIHH", 63, 0, 93, 0, 33, zlib.crc32(data), len(packed), len(data), len(name), 0)
        at = out.tell()
        out.write(b"PK\x03\x04" + head + name + packed)
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + head + struct.pack("<HHHII", 0, 0, 0, 0, at) + name
    start = out.tell()
    end = struct.pack("<HHHHIIH", 0, 0, len(samples), len(samples), len(directory), start, 0)
    path.write_bytes(out.getvalue() + directory + b"PK\x05\x06" + end)
    return path


def test_options_compared_by_likelihood_have_a_share_as_confidence(tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", likelihoods(0, "1", ("no", math.log(0.1)), ("yes", math.log(0.3))))
    (one,) = recordings(f"lm_eval:{path}")
    assert one.reply == "yes" and one.question.answers == ("yes",) and one.question.choices == ("no", "yes")
    assert one.measures["confidence"] == pytest.approx(0.75)
    per_character = 0.1 ** (1 / 2), 0.3 ** (1 / 3)
    assert one.measures["confidence_norm"] == pytest.approx(max(per_character) / sum(per_character))
    assert one.measures["correct"] is True


@pytest.mark.parametrize(
    "target, options, gold",
    [
        ("0", ("3", "4"), "3"),
        ("1", ("3", "4"), "4"),
        ("4", ("3", "4"), "4"),
        ("1", ("1", "2"), None),
        ("x", ("a", "b"), None),
    ],
)
def test_a_target_is_a_number_or_a_text_and_nothing_where_it_may_be_either(
    tmp_path: Path, target: str, options: tuple[str, str], gold: str | None
) -> None:
    path = lines(tmp_path / "s.jsonl", likelihoods(0, target, (options[0], -1.0), (options[1], -2.0)))
    assert recordings(f"lm_eval:{path}")[0].question.answers == (None if gold is None else (gold,))


def test_generated_text_is_a_reply_with_samples_and_can_be_run(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "s.jsonl",
        generated(0, "Rome", "Rome", "Rome", "Rome"),
        generated(1, "Oslo", "Bergen", "Oslo", "Bergen", right=0.0),
    )
    address = f"lm_eval:{path}"
    run = assay(
        load_model(f"replay/{address}"), load(address), estimators=["self_consistency(samples=2)"], out=tmp_path / "run"
    )
    rows = run.frame().sort("question")
    assert rows["confidence"].to_list() == [1.0, 0.5]
    assert rows["correct"].to_list() == [True, False]


def test_filters_are_rows_of_one_cluster_and_one_question(tmp_path: Path) -> None:
    both = [{**generated(0, "7", "7"), "filter": name} for name in ("strict", "loose")]
    address = f"lm_eval:{lines(tmp_path / 's.jsonl', *both)}"
    table = read_table(Path(address))
    assert table["filter"].to_list() == ["strict", "loose"] and table["cluster"].n_unique() == 1
    assert [question.id for question in load(address)] == ["0/strict"]


@pytest.mark.parametrize("form", ["json", "deflate", "zstandard"])
def test_inspect_logs_of_all_forms_are_read(tmp_path: Path, form: str) -> None:
    samples = [sample("a", "seven"), sample("a", "eight", epoch=2), sample(3, "seven", epoch=1)]
    path = tmp_path / f"log.{'json' if form == 'json' else 'eval'}"
    if form == "json":
        path.write_text(json.dumps({"samples": samples}), encoding="utf-8")
    else:
        zipped(path, samples, form == "zstandard")
    table = read_table(Path(f"inspect_ai:{path}"))
    assert table["correct"].to_list() == [True, False, True] and table["match.distance"].to_list() == [0.25] * 3
    assert table["id"].to_list() == ["a/1", "a/2", "3/1"] and table["cluster"].to_list() == ["a", "a", "3"]
    assert [question.id for question in load(f"inspect_ai:{path}")] == ["a/1", "3/1"]


def test_inspect_log_probabilities_are_a_confidence_and_letters_are_options(tmp_path: Path) -> None:
    logs = {"content": [{"token": "B", "logprob": math.log(0.5), "top_logprobs": [{"token": "A", "logprob": -1.5}]}]}
    said = {"choices": [{"message": {"content": [{"type": "text", "text": "B"}]}, "logprobs": logs}]}
    one = sample("q", "B", choices=["cat", "dog"], target="B", output=said)
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"samples": [one, sample("gone", "", output={"choices": []}, scores={})]}))
    first, failed = recordings(f"inspect_ai:{path}")
    assert first.reply == "B" and first.question.answers == ("dog",)
    assert first.measures["sequence_probability"] == pytest.approx(0.5)
    assert failed.reply is None and "correct" not in failed.measures


def test_verdicts_of_inspect_come_from_one_scorer_and_never_from_its_notes(tmp_path: Path) -> None:
    partly = {"value": "P", "metadata": {"tries": 1}}
    scores = [{"f1": {"value": f1}, "match": match} for f1, match in ((1.0, {"value": "I"}), (0.5, partly))]
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"samples": [sample(i, "B", scores=each) for i, each in enumerate(scores)]}))
    assert [each.measures["correct"] for each in recordings(f"inspect_ai:{path}")] == [False, None]
    path.write_text(json.dumps({"samples": [sample("q", "B", scores={"match": partly})]}))
    [only] = recordings(f"inspect_ai:{path}")
    assert "correct" not in only.measures and only.measures["match.tries"] == 1.0


def test_uqlm_results_are_scored_and_replayed(tmp_path: Path) -> None:
    data = {
        "prompts": ["1?", [{"role": "user", "content": "2?"}]],
        "responses": ["one", "two"],
        "sampled_responses": [["one", "won"], ["two", "too"]],
        "noncontradiction": [0.9, float("nan")],
        "correct": [1, 0],
    }
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"data": data, "metadata": {}}))
    log = open_log(Path(f"uqlm:{path}"), confidence="noncontradiction")
    (group,) = score_log(log, metrics=["accuracy"])
    assert (group.measurements[0].n, group.measurements[0].missing) == (1, 1)
    assert [one.samples for one in recordings(f"uqlm:{path}")] == [("one", "won"), ("two", "too")]


def test_lm_polygraph_uncertainty_changes_its_sign(tmp_path: Path) -> None:
    content = {
        "estimations": {"sequence/Perplexity": [0.5, 2.0], "token/MaximumTokenProbability": [[0.1], [0.2]]},
        "gen_metrics": {"sequence/Accuracy": [1.0, 0.0]},
        "stats": {"input_texts": ["a", "b"], "greedy_texts": ["A", "B"], "target_texts": ["A", ["C", "D"]]},
    }
    path = tmp_path / "man.json"
    path.write_text(json.dumps(content))
    table = read_table(Path(f"lm_polygraph:{path}"))
    assert table["Perplexity"].to_list() == [-0.5, -2.0] and table["correct"].to_list() == [True, False]
    assert [q.answers for q in load(f"lm_polygraph:{path}")] == [("A",), ("C", "D")]


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "man"
    path.write_bytes(b"\x80\x04\x95")
    with pytest.raises(DataError, match="not readable as JSON") as caught:
        recordings(f"lm_polygraph:{path}")
    assert "pickles" in caught.value.hint


@pytest.mark.parametrize(
    "reader, text, told",
    [
        ("lm_eval", "", "no samples"),
        ("lm_eval", "[]\n", "line 1 is no object"),
        ("lm_eval", "{}\n", "field 'arguments'"),
        ("lm_eval", '{"arguments": {"a": {"arg_0": 3}}, "filtered_resps": []}\n', "field 'arguments'"),
        ("inspect_ai", '{"samples": []}', "no samples"),
        ("inspect_ai", '{"samples": [3]}', "sample 1 is no object"),
        ("inspect_ai", '{"samples": [{}]}', "sample 1, field 'id'"),
        ("uqlm", "[]", "no object 'data'"),
        ("uqlm", '{"data": {"responses": ["a"], "prompts": []}}', "0 prompts and 1 responses"),
        ("lm_polygraph", '{"estimations": {}, "gen_metrics": {}}', "field 'stats'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, reader: str, text: str, told: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        recordings(f"{reader}:{path}")


def test_addresses_begin_with_a_reader() -> None:
    assert split("uqlm:a/b.json") == ("uqlm", "a/b.json")
    assert split("C:/logs.csv") is None and split("log.csv") is None
    with pytest.raises(DataError, match="there is no file"):
        recordings("uqlm:nowhere.json")
