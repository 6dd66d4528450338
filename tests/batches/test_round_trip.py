"""A run by files: what they ask, what comes back, and that the run is then the one that asks directly."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from doxa.batches import writing
from doxa.batches.asked import NAME, Asked
from doxa.batches.reading import Came, outcome_of, read
from doxa.batches.writing import Written, split, write
from doxa.cli.main import app
from doxa.errors import DataError, JournalError, UsageError
from doxa.flow import Plan
from doxa.inquiry import Asking
from doxa.journal import Journal, entries
from doxa.models.mock import Mock
from doxa.models.openai import OpenAI
from doxa.runs import Run
from doxa.types import Failure, Message, Question, Reply, Request
from fake_server import FakeServer

ADDRESS = "http://127.0.0.1:9/v1"
QUESTIONS = [Question(str(n), f"Which tree is number {n}?", answers=("birch",)) for n in range(6)]
ROUNDS = ["self_consistency(samples=3)", "lexical_similarity(samples=2)", "stated_two_turn", "sequence_probability"]

Provider = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def plan(*spelled: str, **fields: Any) -> Plan:
    from doxa import registry

    made = {name: registry.make("estimators", name) for name in spelled or ("lexical_similarity(samples=3)",)}
    return Plan(QUESTIONS, made, Asking(max_tokens=8, top_logprobs=5, **fields))


def healthy(line: dict[str, Any], server: FakeServer | None = None) -> dict[str, Any]:
    body = (server or FakeServer()).completion(line["body"])
    return {"id": "x", "custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


def lines(written: Written) -> list[dict[str, Any]]:
    return [json.loads(line) for path in written.files for line in path.read_text().splitlines()]


def ask(out: Path, work: Plan, name: str = "fake-1", **options: Any) -> Written:
    return asyncio.run(write(OpenAI(name, base_url=ADDRESS), work, out, **options))


def give(out: Path, results: list[dict[str, Any]]) -> Came:
    path = out.parent / "results.jsonl"
    path.write_text("".join(json.dumps(result) + "\n" for result in results))
    return asyncio.run(read([path], out))


def play(out: Path, work: Plan, provider: Provider = healthy) -> list[int]:
    """Write and read until nothing is left; requests by round."""
    rounds = []
    while not (written := ask(out, work)).done:
        rounds.append(written.requests)
        give(out, [provider(line) for line in reversed(lines(written))])
        assert len(rounds) < 9
    return rounds


def test_a_line_asks_what_a_call_would_ask(tmp_path: Path) -> None:
    written = ask(tmp_path / "run", plan())
    assert (written.requests, written.waiting, written.done) == (24, 0, False)
    asked = lines(written)
    assert {(line["method"], line["url"]) for line in asked} == {("POST", "/v1/chat/completions")}
    assert {frozenset(line) for line in asked} == {frozenset({"custom_id", "method", "url", "body"})}
    assert len({line["custom_id"] for line in asked}) == 24

    async def direct() -> list[dict[str, Any]]:
        async with FakeServer() as server:
            model = OpenAI("fake-1", base_url=server.url)
            await _assay(model, tmp_path / "direct")
            return server.requests

    async def _assay(model: OpenAI, out: Path) -> None:
        from doxa.flow import assay

        await assay(model, plan(), out=out)
        await model.close()

    sent = asyncio.run(direct())
    assert sorted(map(str, sent)) == sorted(str(line["body"]) for line in asked)


def test_rows_are_those_of_a_direct_run_and_the_last_run_pays_nothing(tmp_path: Path) -> None:
    work = plan(*ROUNDS)
    rounds = play(tmp_path / "batch", work)
    assert len(rounds) == 2, "what a reply leads to is asked once the reply is there"

    async def run(address: str | None, out: Path) -> Run:
        from doxa.flow import assay

        async with FakeServer() as server:
            # Identity is name and address, which only the calls of the direct run need.
            model = OpenAI("fake-1", base_url=address or server.url)
            made = await assay(model, work, out=out)
            await model.close()
        return made

    by_files, direct = asyncio.run(run(ADDRESS, tmp_path / "batch")), asyncio.run(run(None, tmp_path / "direct"))
    assert (by_files.info["status"], by_files.info["calls"]) == ("complete", 0)
    assert by_files.info["calls_saved"] >= sum(rounds) == direct.info["calls"]
    assert by_files.info["paid"] == direct.info["paid"]
    assert by_files.frame().equals(direct.frame())
    assert by_files.metrics == direct.metrics


def test_nothing_is_asked_twice_unless_it_is_wished(tmp_path: Path) -> None:
    out, work = tmp_path / "run", plan()
    first = ask(out, work)
    assert ask(out, work) == Written((), 0, 24)
    repeated = ask(out, work, again=True)
    assert repeated.files[0].name == "requests-0002.jsonl"
    assert {line["custom_id"] for line in lines(repeated)} == {line["custom_id"] for line in lines(first)}
    came = give(out, [healthy(line) for line in lines(first)[:10]])
    assert (came.answers, came.again) == (10, 0)
    came = give(out, [healthy(line) for line in lines(repeated)])
    assert (came.answers, came.known, came.strangers) == (14, 10, 0)
    assert ask(out, work).done
    assert len(list(entries(out))) == 24


def test_what_was_never_computed_is_asked_again_and_what_failed_for_good_is_not(tmp_path: Path) -> None:
    out, work, turn = tmp_path / "run", plan(), iter(range(99))

    def broken(line: dict[str, Any]) -> dict[str, Any]:
        result, number = healthy(line), next(turn)
        if number == 0:
            result |= {"response": None, "error": {"code": "batch_expired", "message": "too late"}}
        if number == 1:
            result["response"] = {"status_code": 503, "body": {"error": {"message": "busy"}}}
        if number == 2:
            result["response"]["body"]["choices"][0]["finish_reason"] = "content_filter"
        if number == 3:
            result["response"] = {"status_code": 429, "body": {"error": {"code": "insufficient_quota"}}}
        return result

    came = give(out, [broken(line) for line in lines(ask(out, work))])
    assert came.failures == {"batch_expired": 1, "server_error": 1, "content_filter": 1, "refused": 1}
    assert (came.answers, came.again) == (20, 3)
    second = ask(out, work)
    assert (second.requests, second.waiting) == (3, 0)
    give(out, [healthy(line) for line in lines(second)])
    assert ask(out, work) == Written((), 0, 0, failed=1)
    assert ask(out, work, again=True).requests == 1


def test_a_complaint_that_can_be_met_is_met_by_the_next_file(tmp_path: Path) -> None:
    out, work, complaint = tmp_path / "run", plan(), "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'"

    def strict(line: dict[str, Any]) -> dict[str, Any]:
        if "max_tokens" not in line["body"]:
            return healthy(line)
        return healthy(line) | {"response": {"status_code": 400, "body": {"error": {"message": complaint}}}}

    assert play(out, work, strict) == [24, 24]


def test_a_follow_up_that_is_only_a_fallback_is_not_asked_before_the_first_has_failed(tmp_path: Path) -> None:
    written = ask(tmp_path / "run", plan("fallback"))
    replies = [line for line in lines(written) if line["body"]["messages"][-1]["content"].startswith("Which tree")]
    assert written.requests == len(replies) == len(QUESTIONS)


def test_methods_that_compare_and_learn_are_asked_once_all_replies_are_there(tmp_path: Path) -> None:
    work = plan("relative_confidence", "p_true_few_shot")
    out = tmp_path / "run"
    assert len(play(out, work)) <= 5

    async def run() -> Run:
        from doxa.flow import assay

        model = OpenAI("fake-1", base_url=ADDRESS)
        made = await assay(model, work, out=out)
        await model.close()
        return made

    made = asyncio.run(run())
    assert (made.info["status"], made.info["calls"]) == ("complete", 0)


def test_a_judge_that_is_another_server_has_files_of_its_own(tmp_path: Path) -> None:
    def due() -> Any:
        return iter([("a", b"1", "{}"), ("a", b"2", "{}"), ("b", b"3", "{}")])

    assert [[key for key, _ in portion] for portion in split(due())] == [[b"1", b"2"], [b"3"]]


def test_a_judge_is_asked_about_the_answers_once_they_are_there(tmp_path: Path) -> None:
    from doxa.services import load_services

    judge = OpenAI("judge-1", base_url=ADDRESS)
    work = replace(plan("semantic_entropy(samples=2)"), judge=judge, services=load_services("judge", None))
    models = []
    while not (written := ask(tmp_path / "run", work)).done:
        models.append({line["body"]["model"] for line in lines(written)})
        give(tmp_path / "run", [healthy(line) for line in lines(written)])
    assert models[0] == {"fake-1"}
    assert set().union(*models[1:]) == {"judge-1"}


def test_files_hold_no_more_than_a_provider_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (writing.MOST_REQUESTS, writing.MOST_BYTES) == (50_000, 200_000_000)
    monkeypatch.setattr(writing, "MOST_REQUESTS", 10)
    assert [len(path.read_text().splitlines()) for path in ask(tmp_path / "a", plan()).files] == [10, 10, 4]
    monkeypatch.setattr(writing, "MOST_BYTES", 1000)
    sizes = [path.stat().st_size for path in ask(tmp_path / "b", plan()).files]
    assert len(sizes) > 3
    assert max(sizes) <= 1000


@pytest.mark.parametrize("at_once", [1, 2, 5, 1000])
def test_a_cut_file_is_named_and_what_stands_before_the_cut_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("doxa.batches.reading.AT_ONCE", at_once)
    out = tmp_path / "run"
    results = [json.dumps(healthy(line)) for line in lines(ask(out, plan()))]
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(results[:5]) + "\n" + results[5][:40])
    with pytest.raises(DataError, match=r"cut\.jsonl, line 6 is no result"):
        asyncio.run(read([path], out))
    assert len(list(entries(out))) == 5


def test_results_of_another_run_and_folders_without_one_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = lines(ask(out, plan()))
    with pytest.raises(UsageError, match="no line answers"):
        give(out, [healthy(line) | {"custom_id": "ab"} for line in asked])
    assert give(out, [healthy(asked[0]), healthy(asked[1]) | {"custom_id": "request-1"}]).strangers == 1
    with pytest.raises(UsageError, match="holds no run"):
        asyncio.run(read([tmp_path / "results.jsonl"], tmp_path / "nothing"))
    with pytest.raises(DataError, match="cannot read"):
        asyncio.run(read([tmp_path / "nothing.jsonl"], out))
    (tmp_path / "direct").mkdir()
    Journal(tmp_path / "direct").close()
    before = sorted((tmp_path / "direct").iterdir())
    with pytest.raises(UsageError, match="no run that asked by files"):
        give(tmp_path / "direct", [healthy(line) for line in asked])
    assert sorted((tmp_path / "direct").iterdir()) == before, "nothing is left in a folder that was refused"


def test_requests_are_not_taken_for_results(tmp_path: Path) -> None:
    out = tmp_path / "run"
    written = ask(out, plan())
    with pytest.raises(DataError, match=r"requests-0001\.jsonl, line 1 is a request, not a result") as refused:
        asyncio.run(read(written.files, out))
    assert "came back" in refused.value.hint
    assert ask(out, plan()) == Written((), 0, 24)


def test_only_a_server_is_asked_by_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not asked by files"):
        asyncio.run(write(Mock("honest"), plan(), tmp_path / "run"))


def test_a_writer_that_dies_before_its_files_stand_has_asked_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):

        def die(self: Asked) -> None:
            raise KeyboardInterrupt

        patched.setattr(Asked, "commit", die)
        ask(out, plan())
    (out / "batch" / "requests-0001-results.jsonl").touch()  # a name that a user may well choose
    written = ask(out, plan())
    assert (written.requests, written.waiting) == (24, 0)
    assert (out / NAME).is_file()
    # Nothing stands there that nobody is waiting for: sent too, it would be paid for twice.
    assert [path.name for path in (out / "batch").glob("requests-????.jsonl")] == [written.files[0].name]


def test_no_room_for_what_is_asked_is_one_error_with_a_next_step(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked._do("PRAGMA max_page_count=4")
    request = Request((Message("user", "x" * 9000),))
    with pytest.raises(JournalError, match="cannot use") as error:
        asked.put(b"key", "model", request, "{}")
    assert error.value.hint
    asked.close()


def test_nothing_that_a_provider_writes_breaks_or_forges_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    asked = lines(ask(out, plan()))
    strange = [
        {"response": None, "error": {"code": "\x1b[31mdone", "message": "\ud800\x1b[2J"}},
        {"response": None, "error": {"code": "x" * 99, "message": ["no", "text"]}},
        {"response": {"status_code": "200", "body": 5}},
        {"response": {"status_code": 200, "body": {"error": {"message": "\ud800"}}}},
        {"response": {"status_code": 200, "body": {"choices": [{"message": {"content": "\ud800"}}]}}},
    ]
    came = give(out, [line | result for line, result in zip(map(healthy, asked), strange, strict=False)])
    assert (came.answers, sum(came.failures.values())) == (0, len(strange))
    assert came.failures["batch_error"] == 2
    assert all(kind.isidentifier() for kind in came.failures)
    assert give(out, [{**healthy(line), "custom_id": line["custom_id"]} for line in asked]).answers == 24
    for custom_id in ("", "0" * 1_000_000, "../../etc/passwd", "\ud800"):
        assert give(out, [healthy(asked[0]), healthy(asked[0]) | {"custom_id": custom_id}]).strangers == 1


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"response": None, "error": {"code": "batch_cancelled", "message": "m"}}, ("batch_cancelled", "m", True)),
        ({"response": None, "error": "gone"}, ("batch_error", "gone", True)),
        ({}, ("batch_error", "neither response nor error", True)),
        ({"response": {"status_code": 400}, "error": "too long"}, ("bad_request", "HTTP 400: too long", False)),
        ({"response": {"status_code": 500, "body": None}, "error": None}, ("server_error", "HTTP 500", True)),
        ({"response": {"status_code": 200, "body": {"choices": []}}}, ("no_choices", None, False)),
        ({"response": {"body": {"choices": [{"message": {"content": "a"}}]}}}, ("truncated", None, True)),
    ],
)  # fmt: skip
def test_what_came_instead_of_an_answer_has_a_name(result: dict[str, Any], expected: tuple[Any, ...]) -> None:
    outcome = outcome_of(result)
    assert isinstance(outcome, Failure)
    kind, message, retryable = expected
    assert (outcome.kind, outcome.retryable) == (kind, retryable)
    assert message is None or outcome.message == message


def test_an_answer_is_parsed_as_one_over_http() -> None:
    line = {"custom_id": "00", "body": {"model": "fake-1", "messages": [{"role": "user", "content": "a b"}]}}
    outcome = outcome_of(healthy(line))
    assert isinstance(outcome, Reply)
    assert (outcome.usage.calls, outcome.usage.tokens_in, outcome.model) == (1, 2, "fake-1@fp_fake")


def test_the_command_goes_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    out, runner, results = tmp_path / "run", CliRunner(), tmp_path / "results.jsonl"
    words = [
        "bank:capitals",
        "--model",
        "openai/fake-1",
        "--limit",
        "4",
        "--estimators",
        "self_consistency(samples=2)",
        "--out",
        str(out),
    ]
    for expected in (4, 8):
        told = runner.invoke(app, ["batch", "write", *words, "--json"])
        assert told.exit_code == 0, told.output
        written = json.loads(told.stdout)
        assert written["requests"] == expected
        asked = [json.loads(line) for path in written["files"] for line in Path(path).read_text().splitlines()]
        results.write_text("".join(json.dumps(healthy(line)) + "\n" for line in asked))
        assert runner.invoke(app, ["batch", "read", str(results), "--out", str(out)]).stdout.startswith(
            f"{expected} answers"
        )
    assert "nothing is left to ask by files" in runner.invoke(app, ["batch", "write", *words]).stdout
    assert runner.invoke(app, ["resume", str(out)]).exit_code == 0
    assert Run.open(out).info["calls"] == 0
    assert Run.open(out).frame().filter(pl.col("confidence").is_not_null()).height == 4


def test_what_failed_for_good_is_counted_and_the_commands_say_who_asks_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    out, runner, results = str(tmp_path / "run"), CliRunner(), tmp_path / "results.jsonl"
    words = ["bank:capitals", "--model", "openai/fake-1", "-M", "timeout=9", "--limit", "3", "--out", out]
    words += ["--estimators", "lexical_similarity(samples=2)"]
    written = json.loads(runner.invoke(app, ["batch", "write", *words, "--json"]).stdout)
    asked = [json.loads(line) for path in written["files"] for line in Path(path).read_text().splitlines()]
    bad: dict[str, Any] = {"response": {"status_code": 400, "body": {"error": {"message": "no such word"}}}}
    given = [healthy(line) | bad if number < 2 else healthy(line) for number, line in enumerate(asked)]
    results.write_text("".join(json.dumps(line) + "\n" for line in given))
    told = runner.invoke(app, ["batch", "read", str(results), "--out", out, "--json"])
    assert json.loads(told.stdout) == {
        "answers": len(asked) - 2, "known": 0, "strangers": 0, "failures": {"bad_request": 2}, "again": 0,
    }  # fmt: skip
    assert "0 of them go into the next file" in runner.invoke(app, ["batch", "read", str(results), "--out", out]).stdout
    said = runner.invoke(app, ["batch", "write", *words]).stdout
    assert "2 failed for good" in said and "doxa resume does, over HTTP" in said and "nothing is left" in said
    counted = json.loads(runner.invoke(app, ["batch", "write", *words, "--json"]).stdout)
    assert counted == {"files": [], "requests": 0, "waiting": 0, "failed": 2, "done": True}
    assert Run.open(Path(out)).info["options"]["model"] == "openai/fake-1(timeout=9)"


def test_a_run_is_resumed_at_the_address_it_began_with_or_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", ADDRESS)
    out, other = str(tmp_path / "run"), "http://127.0.0.1:8/v1"
    words = ["bank:capitals", "--model", "openai/fake-1", "--limit", "2", "--estimators", "p_true", "--out", out]
    assert CliRunner().invoke(app, ["batch", "write", *words]).exit_code == 0
    monkeypatch.setenv("OPENAI_BASE_URL", other)
    refused = CliRunner().invoke(app, ["resume", out]).exception
    assert isinstance(refused, UsageError)
    assert f"asked {ADDRESS}, not {other}" in str(refused) and refused.hint == f"set OPENAI_BASE_URL={ADDRESS}"
