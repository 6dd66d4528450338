"""How sure sentences sound, mappers learnt from ratings, and words held against samples."""

from __future__ import annotations

import asyncio
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from doxa import prompts, registry
from doxa.door import assay
from doxa.errors import DataError, UsageError
from doxa.estimators.assertion_consistency import AssertionConsistency
from doxa.estimators.decisiveness import Decisiveness
from doxa.estimators.hedging import BOOSTED, PLAIN, heard, together
from doxa.estimators.hedging.ratings import learn, mapper_of
from doxa.estimators.lexicon import SURVEY
from doxa.estimators.linguistic_confidence import LinguisticConfidence
from doxa.inquiry import Caller, Inquiry, Services
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.prompts import hedging
from doxa.questions.planted import Planted
from doxa.text import hedged
from doxa.types import Capabilities, Confidence, Entailment, Message, Outcome, Question, Reply, Request
from services_fake import CONTRADICTS, ENTAILS, NEUTRAL, FakeEntailer

OTHER_SURVEY = {
    "almost certainly": 92.65, "highly likely": 86.22, "very good chance": 79.76, "likely": 72.00, "probably": 71.52,
    "probable": 71.46, "we believe": 68.52, "better than even": 58.39, "about even": 49.57, "probably not": 29.48,
    "we doubt": 27.87, "unlikely": 19.93, "improbable": 18.02, "little chance": 15.98, "chances are slight": 14.09,
    "highly unlikely": 10.13, "almost no chance": 5.63,
}  # fmt: skip
"""Means of 46 other people, in percent: the zonination survey of perceptions of probability."""


# -- how sure a text sounds --------------------------------------------------------------------------------------------


def test_the_mapper_agrees_with_people_it_was_not_made_from() -> None:
    ours = [heard(f"It is {phrase}.").value or math.nan for phrase in OTHER_SURVEY]
    theirs = [value / 100 for value in OTHER_SURVEY.values()]
    assert spearmanr(ours, theirs)[0] > 0.98
    assert np.abs(np.array(ours) - theirs).mean() < 0.025


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((f"I'd say it is {phrase.upper()} so.", value) for phrase, value in SURVEY.items() if phrase != "we believe"),
        ("It is not likely.", 1 - SURVEY["likely"]),
        ("It isn't very likely.", 1 - SURVEY["likely"]),
        ("Likely not Oslo.", 1 - SURVEY["likely"]),
        ("It is likely not only Oslo.", SURVEY["likely"]),
        ("It is very\n likely.", SURVEY["highly likely"]),
        ("I’m not entirely sure, it's Oslo.", SURVEY["about even"]),
        ("I can't be certain, Oslo.", SURVEY["about even"]),
        ("I think it is Oslo.", SURVEY["we believe"]),
        ("I think it is likely Oslo.", SURVEY["likely"]),
        ("I am 85% sure it is Oslo.", 0.85),
        ("There is a 30 percent chance of Oslo.", 0.3),
        ("It is definitely Oslo.", BOOSTED),
        ("Without a doubt it is Oslo, I don't doubt it.", BOOSTED),
        ("I doubt it.", SURVEY["we doubt"]),
        ("It is definitely likely.", SURVEY["likely"]),
        ("It is Oslo, founded on 3 May.", None),
        ("A mayor certified 80% of it.", None),
        ("The unlikelihood of Oslo.", None),
        ("", None),
    ],
)
def test_hedges_are_heard_in_running_text(text: str, value: float | None) -> None:
    assert heard(text).value == (None if value is None else pytest.approx(value))


def test_several_hedges_make_the_geometric_mean_of_their_odds() -> None:
    found = heard("I'm not sure, but it is probably Oslo; it is probably Oslo.")
    odds = [SURVEY[phrase] / (1 - SURVEY[phrase]) for phrase in ("about even", "probably")]
    both = math.sqrt(odds[0] * odds[1])
    assert found.hedges == ("not sure", "probably") and found.value == pytest.approx(both / (1 + both))
    assert together([1.0, 0.4]) == 1.0 and together([0.0, 0.4]) == 0.0


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=6))
def test_what_is_heard_together_lies_between(values: list[float]) -> None:
    assert min(values) - 1e-9 <= together(values) <= max(values) + 1e-9
    assert together(values) == pytest.approx(together(values[::-1]))
    assert 1 - together(values) == pytest.approx(together([1 - value for value in values]), abs=1e-9)


@given(st.text(max_size=200))
def test_any_text_is_heard(text: str) -> None:
    value = heard(text).value
    assert value is None or 0 <= value <= 1


# -- mappers learnt from ratings ---------------------------------------------------------------------------------------

OPINIONS = {"I reckon it is {}.": 0.7, "Word on the street is {}.": 0.35, "It is {}.": 0.9, "It is unlikely {}.": 0.2}
PLACES = ("Oslo", "Lima", "Rome", "Bern", "Cairo", "Quito", "Accra", "Baku")


def rated(path: Path, out_of: int = 1, extra: Sequence[str] = ()) -> str:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence", "rating"])
        for place in PLACES:
            writer.writerows((form.format(place), value * out_of) for form, value in OPINIONS.items())
        file.write("".join(f"{line}\n" for line in extra))
    return str(path)


def test_a_mapper_learns_what_words_mean_and_applies_it_to_new_sentences(tmp_path: Path) -> None:
    mapper = mapper_of(rated(tmp_path / "r.csv"), 1)
    for form, value in OPINIONS.items():
        assert mapper(form.format("Minsk")) == pytest.approx(value, abs=0.06)
    assert mapper("I reckon it is Minsk.") == mapper_of(rated(tmp_path / "percent.csv", 100), 100)(
        "I reckon it is Minsk."
    )


def test_without_further_words_the_fit_is_a_logistic_regression_on_the_hedges() -> None:
    # No phrase of a sentence occurs in a second one, so two parameters remain; the ratings follow them exactly.
    hedges = ["likely", "unlikely", "probably", "improbable", "probable", "perhaps"]

    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    ratings = [1 / (1 + math.exp(-0.3 - 0.5 * logit(heard(hedge).value or 0))) for hedge in hedges]
    mapper = learn(hedges, ratings)
    assert mapper.weights == {} and mapper.intercept == pytest.approx(0.3, abs=1e-4)
    assert mapper.slope == pytest.approx(0.5, abs=1e-4)


def test_the_loss_is_at_its_minimum() -> None:
    sentences = [form.format(place) for place in PLACES for form in OPINIONS]
    ratings = [value for _ in PLACES for value in OPINIONS.values()]
    mapper = learn(sentences, ratings)

    def loss(changed: object) -> float:
        values = np.array([changed(sentence) for sentence in sentences])  # type: ignore[operator]
        weights = np.array(list(changed.weights.values()))  # type: ignore[attr-defined]
        y = np.array(ratings)
        return float(-(y * np.log(values) + (1 - y) * np.log(1 - values)).sum() + weights @ weights / 2)

    best = loss(mapper)
    for step in (-0.01, 0.01):
        assert loss(replace(mapper, intercept=mapper.intercept + step)) > best
        assert loss(replace(mapper, slope=mapper.slope + step)) > best
        for phrase, weight in list(mapper.weights.items())[::7]:
            assert loss(replace(mapper, weights={**mapper.weights, phrase: weight + step})) > best


@pytest.mark.parametrize(
    ("extra", "out_of", "words"),
    [
        (["It is so,much"], 1, ["row 34", "column rating", "'much'"]),
        (["It is so,80"], 1, ["row 34", "column rating", "between 0 and 1", "out_of=100"]),
        (["It is so,180"], 100, ["row 34", "between 0 and 100"]),
        (["It is so,nan"], 1, ["row 34", "column rating"]),
        (["It is so"], 1, ["row 34", "column rating"]),
        ([" ,0.5"], 1, ["row 34", "column sentence"]),
        (['"It is'], 1, ["CSV"]),
    ],
)
def test_a_bad_rating_is_named_by_file_row_and_column(
    tmp_path: Path, extra: list[str], out_of: int, words: list[str]
) -> None:
    with pytest.raises(DataError) as refused:
        LinguisticConfidence(ratings=rated(tmp_path / "bad.csv", out_of, extra), out_of=out_of)
    told = f"{refused.value} {refused.value.hint}"
    assert all(word in told for word in ("bad.csv", *words)), told


def test_a_file_that_cannot_be_learnt_from_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    few, other, binary = (tmp_path / name for name in ("few.csv", "other.csv", "binary.csv"))
    few.write_text("sentence,rating\nIt is so.,0.5\n")
    other.write_text("text,score\nIt is so.,0.5\n")
    binary.write_bytes(b"sentence,rating\n\xff\xfe,1\n")
    for path, word in (
        (few, "1 ratings"), (other, "'sentence'"), (binary, "UTF-8"), (tmp_path / "no.csv", str(tmp_path / "no.csv")),
        (tmp_path, "cannot read"),
    ):  # fmt: skip
        with pytest.raises(DataError) as refused:
            LinguisticConfidence(ratings=str(path))
        assert word in str(refused.value)


def test_a_relative_path_starts_where_the_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rated(tmp_path / "mine.csv")
    monkeypatch.chdir(tmp_path)
    made = registry.make("estimators", "linguistic_confidence(ratings='mine.csv')")
    found = estimated(made, Echo(("It is Oslo.",)))
    assert found.provenance == "ratings of mine.csv" and found.value == pytest.approx(0.9, abs=0.05)
    rated(tmp_path / "mine.csv", extra=["It is Oslo.,0"] * 400)
    assert (estimated(made, Echo(("It is Oslo.",))).value or 1) < 0.2  # a file that changed is read anew


# -- the estimators ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Echo:
    """A model that says the first text greedily and each of the others when it is drawn from."""

    said: tuple[str, ...]
    name: str = "echo"
    base_url: str = ""
    fingerprint: str = "echo"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        return [[self._reply(request)] for request in requests]

    def _reply(self, request: Request) -> Reply:
        if request.messages[-1].content.startswith(hedging.RATE):
            return Reply(self.said[-1])
        return Reply(self.said[0] if request.temperature == 0 else self.said[1 + (request.seed or 0) % 1024])

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        raise AssertionError("nothing is to be scored")


def inquiry(model: object, question: Question, services: Services | None = None, **others: object) -> Inquiry:
    callers = {"subject": Caller(model), **{role: Caller(each) for role, each in others.items()}}  # type: ignore[arg-type]
    messages = prompts.render(question)
    return Inquiry(question.id, messages, callers, question.kind, question.choices, services=services or Services())


def estimated(
    estimator: object,
    model: object,
    services: Services | None = None,
    question: Question | None = None,
    **others: object,
) -> Confidence:
    async def work() -> Confidence:
        asked = question or Question("q", "Where?")
        return await estimator.estimate(inquiry(model, asked, services, **others))  # type: ignore[attr-defined, no-any-return]

    return asyncio.run(work())


@pytest.mark.parametrize("prompt", hedging.PROMPTS)
def test_every_prompt_and_variant_asks_in_its_own_words(prompt: str) -> None:
    asked = set()
    for variant in range(hedging.variants(prompt)):
        LinguisticConfidence(prompt, variant)
        messages = hedging.hedged_answer((Message("system", "Be kind."), Message("user", "Where?")), "open", prompt,
                                         variant, SURVEY)  # fmt: skip
        assert messages[0].role == "system" and messages[0].content.startswith("Be kind.")
        assert messages[-1].content == f"Where?\n{hedging.note('open', prompt)}"
        assert len(messages) == (2 if prompt == "plain" else 8)
        assert all(phrase in messages[0].content for phrase in SURVEY) == (prompt == "sensitivity_hedges")
        asked.add(messages)
    assert len(asked) == hedging.variants(prompt) == (1 if prompt in ("plain", "plus") else 4)
    for wrong in (hedging.variants(prompt), -1):
        with pytest.raises(UsageError, match="no variant"):
            LinguisticConfidence(prompt, wrong)


@pytest.mark.parametrize("kind", ["choice", "boolean", "number", "date"])
def test_the_instruction_to_say_nothing_else_gives_way_to_the_one_for_a_sentence(kind: str) -> None:
    question = Question("q", "Which?", kind=kind, choices=("a", "b") if kind == "choice" else ())  # type: ignore[arg-type]
    messages = hedging.hedged_answer(prompts.render(question), question.kind, "plus", 0, SURVEY)
    assert prompts.INSTRUCTION[question.kind] not in messages[-1].content.splitlines()
    assert messages[-1].content.endswith(hedging.note(question.kind))


@pytest.mark.parametrize("make", [{"prompt": "loud"}, {"out_of": 10}])
def test_knobs_that_are_none_are_refused(make: dict[str, object]) -> None:
    with pytest.raises(UsageError) as refused:
        registry.build("estimators", "linguistic_confidence", **make)
    assert refused.value.hint
    for name in ("decisiveness", "assertion_consistency"):
        with pytest.raises(UsageError):
            registry.build("estimators", name, by="ear")


def test_a_plain_sentence_is_worth_a_stated_value_and_its_answer_is_graded_without_hedges() -> None:
    assert estimated(LinguisticConfidence(), Echo(("It is Oslo.",))) == Confidence(PLAIN, answer="It is Oslo.")
    found = estimated(LinguisticConfidence(), Echo(("It is most likely Oslo, but I'm not sure.",)))
    assert found.answer == "It is Oslo" and found.value == heard("most likely; not sure").value
    assert max(SURVEY.values()) < PLAIN < BOOSTED < 1
    refused = estimated(LinguisticConfidence(), Echo(("I don't know.",)))
    assert (refused.value, refused.answer) == (None, "I don't know.") and "declines" in refused.reason


def test_a_calibrated_hedger_is_heard_as_it_believes() -> None:
    gaps, said = [], []
    for question in Planted(n=200).questions():
        found = estimated(LinguisticConfidence(), Mock(), question=question)
        assert found.answer is not None and found.value is not None
        believed = beliefs(question.text)[found.answer]
        gaps.append(abs(found.value - believed))
        said.append((believed, found.value))
    assert max(gaps) < 0.155 and np.mean(gaps) < 0.06  # the survey has no phrase between 0.25 and 0.51
    assert [value for _, value in sorted(said)] == sorted(value for _, value in said)
    assert estimated(LinguisticConfidence("plain"), Mock(), question=Planted(n=1).questions()[0]).value == PLAIN


@pytest.mark.parametrize("kind", ["choice", "boolean", "number", "date"])
def test_other_kinds_of_answers_are_read_through_their_hedges(kind: str) -> None:
    choices = ("Oslo", "Lima", "Rome") if kind == "choice" else ()
    question = Question("q", "Which one is it?", kind=kind, choices=choices)  # type: ignore[arg-type]
    found = estimated(LinguisticConfidence(), Mock(), question=question)
    assert found.value is not None and found.answer
    assert found.answer not in hedged(found.answer, probability=0.5).split(":")[0]
    assert estimated(AssertionConsistency(samples=5), Mock(), question=question).value is not None


def test_decisiveness_is_judged_by_whoever_there_is() -> None:
    said = Echo(("It is probably Oslo.", "10%"))
    by_words = estimated(Decisiveness(), said)
    assert (by_words.value, by_words.provenance) == (SURVEY["probably"], "its words")
    judge = Echo(("?", "65%"))
    assert estimated(Decisiveness(), said, judge=judge) == Confidence(0.65, answer="It is Oslo.", provenance="a judge")
    itself = estimated(Decisiveness(by="judge"), said)
    assert (itself.value, itself.provenance) == (0.1, "the model as its own judge")
    assert estimated(Decisiveness(by="words"), said, judge=judge).provenance == "its words"
    assert estimated(Decisiveness(), said, judge=Echo(("?", "hm"))).value is None


@pytest.mark.parametrize(
    "sentence", ["It is Oslo.", "It is definitely Oslo.", "I don't know.", "I cannot help with that."]
)
def test_plain_sentences_and_refusals_are_decisive(sentence: str) -> None:
    assert estimated(Decisiveness(), Echo((sentence,))).value == 1.0


def test_the_mock_judges_hedges_as_they_were_meant() -> None:
    question = Planted(n=1).questions()[0]
    for percent in (2, 20, 45, 60, 70, 80, 92, 99):
        text = hedged("Oslo", probability=percent / 100)
        found = estimated(Decisiveness(), Echo((text,)), question=question, judge=Mock())
        assert found.value == pytest.approx(percent / 100 if percent < 95 else 1, abs=0.12)


def test_consistency_counts_what_agrees_contradicts_and_does_neither() -> None:
    model = Echo(("It is probably Oslo.", "Oslo.", "Maybe it is Lima.", "I don't know.", "It might be Oslo, I think."))
    found = estimated(AssertionConsistency(samples=4), model)
    assert found == Confidence(1 - (0 + 1 + 0.5 + 0) / 4, answer="It is Oslo.", provenance="normalised")
    none = estimated(AssertionConsistency(samples=4), Echo(("No idea.", *model.said[1:])))
    assert none.value is None and none.answer == "No idea."


def test_with_an_entailment_service_its_verdicts_count() -> None:
    model = Echo(
        ("It is Oslo.", "It is Oslo.", "It is in Norway.", "Perhaps it is Lima.", "It is the city of Oslo.", "")
    )
    verdicts: dict[tuple[str, str], Entailment] = {
        ("Where? It is in Norway.", "Where? It is Oslo."): NEUTRAL,
        ("Where? it is Lima.", "Where? It is Oslo."): CONTRADICTS,
        ("Where? It is the city of Oslo.", "Where? It is Oslo."): ENTAILS,
    }
    found = estimated(AssertionConsistency(samples=5), model, Services(FakeEntailer(verdicts)))
    assert found.value == pytest.approx(1 - (0 + 0.5 + 1 + 0 + 0.5) / 5)
    assert found.provenance == "entailment by table"


def test_consistency_recovers_planted_beliefs_within_its_sampling_error() -> None:
    deviations, variance = 0.0, 0.0
    for question in Planted(n=60).questions():
        found = estimated(AssertionConsistency(), Mock(), question=question)
        assert found.answer is not None and found.value is not None
        p = beliefs(question.text)[found.answer]
        deviations, variance = deviations + found.value - p, variance + p * (1 - p) / 20
    assert abs(deviations) < 2.6 * math.sqrt(variance)


# -- in a run ----------------------------------------------------------------------------------------------------------


def test_a_run_with_both_says_how_faithful_the_words_are(tmp_path: Path) -> None:
    pair = ["decisiveness(prompt=reflect)", "assertion_consistency(prompt=reflect)", "linguistic_confidence"]
    faithful = {}
    for persona in ("honest", "constant"):
        run = assay(Mock(persona), Planted(n=40).questions(), estimators=pair, out=tmp_path / persona)
        [row] = run.metrics["faithfulness"]
        assert (row["sounds"], row["is"], row["n"]) == (*pair[:2], 40)
        items = run.frame()
        one, other = (items.filter(items["estimator"] == name)["confidence"].to_numpy() for name in pair[:2])
        assert row["mfg"]["value"] == pytest.approx(1 - np.abs(one - other).mean())
        assert row["mfg"]["low"] < row["mfg"]["value"] < row["mfg"]["high"]
        faithful[persona] = row["mfg"]["value"], row["cmfg"]["value"]
        table, page = " ".join(run.table().split()), run.report().read_text()
        assert "is off how consistently it answers by" in table and "is off how consistently it answers by" in page
    # Whoever hedges as it believes is faithful; who always sounds 90 % sure is not where it is unsure.
    assert min(faithful["honest"]) > 0.85 and faithful["constant"][1] < 0.7


def test_linguistic_confidence_speaks_where_decisiveness_was_not_asked_in_the_same_words(tmp_path: Path) -> None:
    names = ["linguistic_confidence", "linguistic_confidence(prompt=plain)", "decisiveness", "assertion_consistency",
             "assertion_consistency(prompt=plain,samples=5)"]  # fmt: skip
    run = assay(Mock(), Planted(n=5).questions(), estimators=names, out=tmp_path)
    assert [(row["sounds"], row["is"]) for row in run.metrics["faithfulness"]] == [
        (names[2], names[3]),
        (names[1], names[4]),
    ]


def test_a_run_without_a_pair_says_nothing(tmp_path: Path) -> None:
    alone = ["decisiveness", "assertion_consistency(prompt=reflect)"]
    run = assay(Mock(), Planted(n=5).questions(), estimators=alone, out=tmp_path)
    assert run.metrics["faithfulness"] == [] and "how consistently" not in run.table()
