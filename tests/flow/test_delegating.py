"""What leaves, what comes back, who answers; and what a study makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from doxa import flow
from doxa.delegated import Study, baselines, frontier, hypervolume, study
from doxa.delegating import NAMES, REMOTE, Delegated, Prompt, chunks_of, decide_all, delegate, details, prompt_of
from doxa.errors import Incomplete, UsageError
from doxa.flow import Plan
from doxa.inquiry import Asking, Budget, Caller
from doxa.models.mock import Mock
from doxa.policies.privacypad import PrivacyPAD
from doxa.prompts import delegating
from doxa.questions import bank
from doxa.text.pii import PII
from doxa.types import Act, Capabilities, Case, Decision, Outcome, Question, Reply, Request, Usage

NOTE = "Maria Keller called.\nHer number is 212 555 0142, and 212 555 0143 at work.\nIt rained.\nCall (212) 555-0142."
PLAIN = Question("q", "What is her number?", ("212 555 0142",), context=NOTE)
KEEP, MASK, SEND = "keep_local", "mask", "escalate"


@dataclass
class Scripted:
    """Replies by the last message; keeps every request."""

    says: Callable[[str], str] = lambda text: "No"
    name: str = "scripted"
    base_url: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    asked: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return self.name

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        self.asked += [request.messages[-1].content for request in requests]
        return [[Reply(self.says(request.messages[-1].content), usage=Usage(1, 10, 2))] for request in requests]

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        raise AssertionError("nothing is scored here")

    async def close(self) -> None:
        """Nothing is held."""


def prompt(question: Question = PLAIN) -> Prompt:
    return prompt_of(question, PII())


def done(local: Scripted, remote: Scripted, *acts: Act, question: Question = PLAIN) -> Delegated:
    async def work() -> Delegated:
        callers = {"subject": Caller(local), REMOTE: Caller(remote)}
        asked = replace(question, context=None)
        return await delegate(prompt(question), acts, flow.ask(asked, Plan([asked], {}), callers))

    return asyncio.run(work())


def test_one_piece_has_one_mark_however_it_is_written() -> None:
    lines, question = prompt().sent((MASK,) * 4)
    assert lines == [
        "[PERSON_1] called.",
        "Her number is [PHONE_1], and [PHONE_2] at work.",
        "It rained.",
        "Call [PHONE_1].",
    ]
    assert question == "What is her number?"
    assert prompt().units == ("PERSON maria keller", "PHONE +12125550142", "PHONE +12125550143")


def test_what_is_sent_anywhere_needs_no_mark() -> None:
    named = prompt(replace(PLAIN, text="What is Maria Keller's number?"))
    assert named.sent((KEEP, MASK, KEEP, SEND)) == (
        ["Her number is 212 555 0142, and [PHONE_2] at work.", "Call (212) 555-0142."],
        "What is [PERSON_1]'s number?",
    )
    assert named.sent((SEND, KEEP, KEEP, KEEP))[1] == "What is Maria Keller's number?"


@pytest.mark.parametrize(
    ("acts", "leakage"),
    [
        ((KEEP,) * 4, 0.0), ((MASK,) * 4, 0.0), ((SEND, KEEP, SEND, KEEP), 1 / 3), ((KEEP, SEND, KEEP, SEND), 2 / 3),
        ((SEND,) * 4, 1.0),
    ],
)  # fmt: skip
def test_leakage_is_the_share_of_pieces_each_counted_once(acts: tuple[Act, ...], leakage: float) -> None:
    assert prompt().leakage(acts) == pytest.approx(leakage)


def test_without_private_data_nothing_leaks() -> None:
    dry = prompt(replace(PLAIN, context="It rained. It stopped."))
    assert dry.chunks == ("It rained.", "It stopped.") and dry.leakage((SEND, SEND)) == 0
    assert chunks_of(dry).held.shape == (2, 0)


def test_marks_in_the_answer_are_replaced_and_others_left() -> None:
    assert prompt().restored("[PHONE_2] or PHONE_1, [PHONE_12], [EMAIL_1]") == (
        "212 555 0143 or 212 555 0142, [PHONE_12], [EMAIL_1]"
    )
    local, remote = Scripted(), Scripted(lambda _: "[PHONE_1]")
    made = done(local, remote, MASK, MASK, SEND, MASK)
    assert (made.reply.text, made.by, made.leakage) == ("212 555 0142", REMOTE, 0.0)
    assert local.asked == [] and made.usage == {"subject": Usage(), REMOTE: Usage(1, 10, 2)}
    assert "Keller" not in remote.asked[0] and "555" not in remote.asked[0] and "It rained." in remote.asked[0]


def test_the_local_model_answers_with_everything_where_the_remote_one_cannot() -> None:
    local, remote = Scripted(lambda _: "[PHONE_1]"), Scripted(lambda _: "Unknown.")
    made = done(local, remote, KEEP, KEEP, SEND, KEEP)
    assert (made.reply.text, made.by) == ("[PHONE_1]", "subject")
    assert all(chunk in local.asked[0] for chunk in NOTE.splitlines())
    assert made.usage == {"subject": Usage(1, 10, 2), REMOTE: Usage(1, 10, 2)}


def test_where_all_is_kept_nothing_leaves() -> None:
    local, remote = Scripted(), Scripted()
    made = done(local, remote, *(KEEP,) * 4)
    assert remote.asked == [] and made.by == "subject" and made.leakage == 0


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(UsageError, match="abstain"):
        done(Scripted(), Scripted(), "abstain", KEEP, KEEP, KEEP)
    with pytest.raises(UsageError, match="no context") as caught:
        prompt(replace(PLAIN, context=None))
    assert "context" in caught.value.hint


def test_what_is_known_of_chunks() -> None:
    first, second, third, last = details(prompt())
    assert tuple(first) == NAMES
    assert [each["pii"] for each in (first, second, third, last)] == [1, 2, 0, 1]
    assert (second["pii_phone"], second["overlap"], second["closest"], second["closest_private"]) == (2, 0.5, 1, 1)
    assert (first["position"], last["position"]) == (0, 1) and first["closest"] == 0
    assert sum(each["length"] for each in (first, second, third, last)) == pytest.approx(1)
    assert second["closest_private_part"] == 0
    part = details(prompt(replace(PLAIN, text="What are the last digits of her number?")))
    assert [each["closest_private_part"] for each in part] == [0, 1, 0, 0]


def test_a_policy_sees_what_was_sent_before() -> None:
    seen: list[float] = []

    class Sender:
        def decide(self, case: Case) -> Decision:
            seen.append(case.details["already_sent"] or 0.0)
            return Decision("escalate", None)

    assert decide_all(Sender(), prompt()) == (SEND,) * 4  # type: ignore[arg-type]
    assert seen == [0, 0, 0, 1]


def test_baselines() -> None:
    ways = {name: way(prompt(), "q") for name, way in baselines(1).items()}
    assert ways["all local"] == (KEEP,) * 4 and ways["all remote"] == (SEND,) * 4
    assert ways["redact all"] == (MASK, MASK, SEND, MASK)
    assert ways["random"] == baselines(1)["random"](prompt(), "q")
    drawn = {baselines(seed)["random"](prompt(), "q") for seed in range(20)}
    assert len(drawn) > 5


def test_the_frontier_and_the_area_below_it() -> None:
    points = [(0.2, 0.5), (0.0, 0.3), (0.2, 0.4), (0.6, 0.5), (0.7, 1.0)]
    assert frontier(points) == [(0.0, 0.3), (0.2, 0.5), (0.7, 1.0)]
    steps = 1000
    beaten = sum(max((q for leak, q in points if leak <= (x + 0.5) / steps), default=0.0) for x in range(steps)) / steps
    assert hypervolume(points) == pytest.approx(beaten)
    assert hypervolume([(1.0, 1.0)]) == 0 and hypervolume([(0.0, 1.0)]) == 1


# -- a whole study -----------------------------------------------------------------------------------------------------


def wanted(penalties: Sequence[float] = (0.3, 30.0), epochs: int = 15) -> Study:
    questions = bank("private_notes", each=2)
    policies = [PrivacyPAD(penalty, epochs=epochs) for penalty in penalties]
    return Study(questions, Mock("hasty"), Mock(), policies, PII(), Plan(questions, {}, Asking()))


def test_learnt_policies_beat_the_baselines_on_other_questions(tmp_path: Path) -> None:
    told = asyncio.run(study(wanted(), tmp_path / "a", keep=True))
    rows = {row["name"]: row for row in told["rows"]}
    quality = {name: row["quality"]["value"] for name, row in rows.items()}
    leakage = {name: row["leakage"]["value"] for name, row in rows.items()}
    assert (quality["all remote"], leakage["all remote"], leakage["all local"], leakage["redact all"]) == (1, 1, 0, 0)
    assert quality["all local"] < quality["redact all"] < quality["λ = 0.3"]
    assert 0 < leakage["λ = 0.3"] < 0.3 and leakage["λ = 30"] <= 0.02
    assert told["hypervolume"]["learnt"] > told["hypervolume"]["baseline"]
    assert rows["all remote"]["preserved"] == 1 and rows["all local"]["calls"] == {"local": 1, "remote": 0}
    assert [each["knobs"]["penalty"] for each in told["policies"]] == [0.3, 30.0]
    again = asyncio.run(study(wanted(), tmp_path / "a", keep=True))
    assert again["rows"] == told["rows"] and sum(again["calls"].values()) == 0


def test_a_limit_of_calls_stops_and_the_same_study_goes_on(tmp_path: Path) -> None:
    small = wanted((1.0,), epochs=2)
    with pytest.raises(Incomplete) as caught:
        asyncio.run(study(small, tmp_path / "a", budget=Budget(30)))
    assert "the same command goes on" in caught.value.hint
    told = asyncio.run(study(small, tmp_path / "a"))
    whole = asyncio.run(study(small, tmp_path / "b"))
    assert told["rows"] == whole["rows"]
    assert sum(told["calls"].values()) == sum(whole["calls"].values()) - 30


def test_a_question_without_a_known_answer_is_refused(tmp_path: Path) -> None:
    unknown = replace(wanted(), questions=[replace(PLAIN, answers=None)])
    with pytest.raises(UsageError, match="no known answer"):
        asyncio.run(study(unknown, tmp_path / "a"))


def test_the_mock_reads_notes_and_says_where_they_do_not_tell() -> None:
    def says(persona: str, question: Question, *, part: bool) -> str:
        chunks = (question.context or "").splitlines()
        messages = (delegating.part if part else delegating.whole)(chunks, question.text)
        (outcomes,) = asyncio.run(Mock(persona).generate([Request(messages)]))
        assert isinstance(outcomes[0], Reply)
        return outcomes[0].text

    questions = bank("private_notes", each=2)
    assert all(says("honest", each, part=True) in (each.answers or ()) for each in questions)
    hasty = [says("hasty", each, part=False) in (each.answers or ()) for each in questions]
    assert 0.3 < sum(hasty) / len(hasty) < 0.9
    hidden = [replace(each, context="It rained.") for each in questions]
    assert {says("honest", each, part=True) for each in hidden} == {delegating.UNKNOWN}
    assert delegating.UNKNOWN not in {says("honest", each, part=False) for each in hidden}
