"""The verbs that ask a model: what their options do, what they refuse, and what they print."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from doxa.choosing import named
from doxa.cli.main import _run
from doxa.errors import UsageError
from doxa.flow import Plan
from doxa.inquiry import Asking
from doxa.journal import entries
from doxa.models.mock import Mock
from doxa.prices import price_of
from doxa.types import Failure, Message, Outcome, Question, Request

QUESTIONS = "question,answer\nWho wrote Hamlet?,Shakespeare\nWhat is 2 + 2?,4\nWhere is Oslo?,Norway\n"
RUN = ("run", "questions.csv", "--model", "mock/honest", "--estimators", "stated_two_turn")


class Away(Mock):
    """A model that gives no answer."""

    def __init__(self, retryable: bool) -> None:
        super().__init__()
        object.__setattr__(self, "failure", Failure("connection", "nobody is there", retryable))

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[self.failure] for _ in requests]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--template", "Answer briefly."), ["{question}"]),
        (("--seed", "-1"), ["--seed"]),
        (("--estimators", " , "), ["no estimator"]),
        (("--estimators", "p_true,p_true"), ["p_true", "twice"]),
        (("--system", "caf\udcc3"), ["UTF-8"]),
        (("--judge", "smollm2"), ["--judge"]),
        (("--decoding", "cautious"), ["cautious", "temperature"]),
        (("--decoding", "beam", "--temperature", "1"), ["no decoding 'beam'", "local"]),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(
    options: tuple[str, ...], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run([*RUN, *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(word in said.err for word in words), said.err


def test_template_and_system_reach_the_model(folder: Path) -> None:
    assert _run([*RUN, "--out", "run", "--template", "In short: {question}", "--system", "Be kind."]) == 0
    asked = {entry.request.messages for entry in entries(folder / "run")}
    first = (Message("system", "Be kind."), Message("user", "In short: Where is Oslo?"))
    assert first in {messages[:2] for messages in asked}
    assert all(messages[0] == first[0] for messages in asked)


def test_conversations_take_no_system_message_from_outside() -> None:
    conversation = [Question("a", messages=(Message("user", "Who?"),))]
    chosen = named("deed")
    with pytest.raises(UsageError, match="conversations"):
        Plan(conversation, chosen, system="Be kind.")
    with pytest.raises(UsageError, match="seed"):
        Plan(conversation, chosen, Asking(seed=-1))


def test_a_dry_run_fits_the_terminal_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([*RUN, "--estimators", "auto", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("[" in line or "None" in line for line in lines)
    assert _run([*RUN, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost_at_most"] is None
    assert [path.name for path in folder.iterdir()] == ["questions.csv"]


def test_a_dry_run_prices_the_judge_by_its_own_price(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = (*RUN[:-1], "entailment_consistency", "--judge", "mock/timid", "--entailment", "judge")

    def cost(prices: str) -> float | None:
        (folder / "prices.yaml").write_text(prices)
        assert _run([*judged, "--dry-run", "--json"]) == 0
        return json.loads(capsys.readouterr().out)["cost_at_most"]  # type: ignore[no-any-return]

    dear, free = "{input: 5, output: 5}", "{input: 0, output: 0}"
    alone, judging = (cost(f"mock/honest: {a}\nmock/timid: {b}\n") for a, b in ((dear, free), (free, dear)))
    assert alone and judging and cost(f"mock/honest: {dear}\nmock/timid: {dear}\n") == pytest.approx(alone + judging)
    assert cost(f"mock/honest: {dear}\n") is None


@pytest.mark.parametrize("price", ["{input: -1, output: 1}", "{input: .nan, output: 1}", "{input: 1}", "[1, 2]", "'x"])
def test_a_price_that_is_none_is_refused(folder: Path, price: str) -> None:
    (folder / "prices.yaml").write_text(f"mock/honest: {price}\n")
    with pytest.raises(UsageError, match="price of mock/honest"):
        price_of("mock/honest")


def test_doxa_yaml_names_options_as_they_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "doxa.yaml").write_text("run:\n  model: mock/honest\n  dry-run: true\n  json: true\n  max_tokens: 9\n")
    assert _run(["run", "questions.csv", "--estimators", "stated_two_turn"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 3
    (folder / "doxa.yaml").write_text("run:\n  jsn: true\n")
    assert _run(["run", "questions.csv"]) == 2
    assert "'json'" in capsys.readouterr().err


def test_asking_nothing_and_a_model_that_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["ask", " ", "--model", "mock/honest"]) == 2
    for retryable, code in ((True, 3), (False, 4)):
        away = Away(retryable)
        monkeypatch.setattr("doxa.loading.load_model", {"smollm2": away}.__getitem__)
        assert _run(["ask", "Who?", "--estimators", "deed"]) == code
        assert "doxa doctor" in capsys.readouterr().err


def test_an_interrupted_verb_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("doxa.cli.running.execute", interrupt)
    assert _run([*RUN]) == 130
    assert "the same command" in capsys.readouterr().err
    monkeypatch.setattr("doxa.scoring.open_log", interrupt)
    assert _run(["score", "log.csv"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    "what", ["models", "banks", "estimators", "calibrators", "policies", "metrics", "recipes", "papers"]
)
def test_lists_are_whole_and_fit_the_terminal(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["list", what]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert _run(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(" ".join(row["about"].split()) in " ".join(shown.split()) for row in rows)


def test_every_paper_says_its_coverage_and_names_tests_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(__file__).parents[2]
    assert _run(["list", "papers", "--json"]) == 0
    for row in json.loads(capsys.readouterr().out):
        assert all(member["coverage"] == "full" or ": " in member["coverage"] for member in row["members"])
        for member in row["members"]:
            name = member["name"].rpartition("/")[2].replace("_", "")
            places = [root / path for path in row["tests"]]
            files = [file for place in places for file in ([place] if place.is_file() else place.glob("test_*.py"))]
            assert name in "".join(file.read_text() for file in files).lower().replace("_", "")


def test_the_help_of_every_verb_is_whole_and_free_of_environment_variables(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ([], ["journal"], ["run"], ["score"], ["train"], ["calibrate"]):
        assert _run([*verb, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "env var" not in shown
        assert "...\n" not in shown.partition("\n")[2]
        assert max(map(len, shown.splitlines())) <= 80


def test_a_run_whose_estimators_a_limit_chose_resumes_as_the_same_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--estimators", "auto", "--max-calls", "12", "--out", "run"]
    assert _run(["run", "questions.csv", "--model", "mock/honest", *chosen]) == 0
    before = json.loads((folder / "run" / "run.json").read_text())
    assert before["left_out"] and before["calls"] <= 12
    assert _run(["resume", "run"]) == 0
    after = json.loads((folder / "run" / "run.json").read_text())
    assert (after["id"], after["calls"], after["estimators"]) == (before["id"], 0, before["estimators"])


def test_an_answer_can_be_hedged_in_both_styles(capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["ask", "Where is Oslo?", "--model", "mock/honest", "--estimators", "stated_two_turn"]
    assert _run([*ask, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert "hedged" not in plain
    for style, hedge in (("first_person", "I'm not sure, but my best guess is:"), ("general", "It is not clear, but")):
        assert _run([*ask, "--hedge", style, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told == {**plain, "hedged": told["hedged"]}
        assert told["hedged"].startswith(hedge) and told["hedged"].endswith(plain["reply"])
        assert _run([*ask, "--hedge", style]) == 0
        assert capsys.readouterr().out.startswith(f"{told['hedged']}\n\n")
    assert _run([*ask, "--hedge", "royal"]) == 2
    assert "first_person, general" in capsys.readouterr().err
