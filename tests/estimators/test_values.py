"""Each method's number on scripted replies, against values worked out elsewhere."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.certainty_words import CertaintyWords
from doxa.estimators.deed import Deed, deed
from doxa.estimators.discrete_semantic_entropy import DiscreteSemanticEntropy, discrete_semantic_entropy
from doxa.estimators.guessing import guesses
from doxa.estimators.lexicon import SURVEY, certainty
from doxa.estimators.mean_token_entropy import MeanTokenEntropy, mean_token_entropy
from doxa.estimators.normalized_probability import NormalizedProbability, normalized_probability
from doxa.estimators.option_letters import OptionLetters
from doxa.estimators.option_likelihood import OptionLikelihood, option_likelihood
from doxa.estimators.p_true import PTrue
from doxa.estimators.p_true_samples import PTrueSamples
from doxa.estimators.persistence import Persistence
from doxa.estimators.self_consistency import SelfConsistency
from doxa.estimators.semantic_entropy import SemanticEntropy, semantic_entropy
from doxa.estimators.sequence_probability import SequenceProbability, sequence_probability
from doxa.estimators.stated_one_turn import StatedOneTurn
from doxa.estimators.stated_top_k import StatedTopK
from doxa.estimators.stated_two_turn import StatedTwoTurn
from doxa.estimators.stating import read
from doxa.inquiry import Asking, Inquiry
from doxa.types import Capabilities, Confidence, Message, Outcome, Reply, Request, Token

QUESTION = (Message("user", "What is the capital of Norway?"),)
Answer = Callable[[Request], Reply]


class Script:
    """A caller that answers by a function of the request and keeps what it was asked."""

    def __init__(self, answer: Answer, *, white: bool = True, prefill: bool = False) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.capabilities = Capabilities(logprobs=white, score=white, prefill=prefill)

    async def call(self, request: Request) -> Outcome:
        self.asked.append(request)
        return self.answer(request)


def measure(estimator: Any, script: Script, **fields: Any) -> Confidence:
    async def work() -> Confidence:
        fields.setdefault("messages", QUESTION)
        inquiry = Inquiry("q", callers={"subject": script}, asking=Asking(top_logprobs=0), **fields)
        return await estimator.estimate(inquiry)  # type: ignore[no-any-return]

    return asyncio.run(work())


def tokens(*probabilities: float, entropy: float | None = None) -> tuple[Token, ...]:
    stats = {} if entropy is None else {"entropy": entropy}
    return tuple(Token("x", math.log(p), (), stats) for p in probabilities)


def says(text: str, *probabilities: float) -> Reply:
    return Reply(text, tokens(*(probabilities or (0.5,))))


def after(reply: str, said: str) -> Answer:
    """Answers the question with `reply` and everything else with `said`."""
    return lambda request: says(reply if request.messages == QUESTION else said)


def samples(*texts: str) -> Answer:
    """Answers greedily with the first text; sample number i is text i."""
    return lambda request: says(texts[0] if request.seed is None else texts[request.seed % 1024])


# -- probabilities and entropies of the reply --------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_sequence_and_normalised_probability_are_product_and_geometric_mean(probabilities: list[float]) -> None:
    logs = [math.log(p) for p in probabilities]
    product = float(np.prod(probabilities))
    assert sequence_probability(logs) == pytest.approx(product)
    assert normalized_probability(logs) == pytest.approx(product ** (1 / len(probabilities)))


def test_reply_tokens_are_read() -> None:
    script = Script(lambda _: Reply("Oslo", tokens(0.9, 0.4, entropy=0.3)))
    assert measure(SequenceProbability(), script).value == pytest.approx(0.36)
    assert measure(NormalizedProbability(), script).value == pytest.approx(0.6)
    assert measure(MeanTokenEntropy(), script).value == pytest.approx(-0.3)


def test_mean_token_entropy_of_four_known_entropies() -> None:
    assert mean_token_entropy([0.3, 0.9, 0.05, 0.6]) == pytest.approx(-0.4625)


@pytest.mark.parametrize("estimator", [SequenceProbability(), NormalizedProbability(), MeanTokenEntropy()])
@pytest.mark.parametrize("reply", [Reply("Oslo"), Reply("", ()), Reply("Oslo", (Token("Oslo"),))])
def test_unknown_log_probabilities_are_unavailable_not_zero(estimator: Any, reply: Reply) -> None:
    with pytest.raises(Unavailable):
        measure(estimator, Script(lambda _: reply))


# -- options -----------------------------------------------------------------------------------------------------------


def likelihoods(table: dict[str, Sequence[float]], reply: str) -> Script:
    def answer(request: Request) -> Reply:
        text = request.continuation
        return says(reply) if text is None else Reply(text, tokens(*table[text]))

    return Script(answer)


def test_the_probability_of_the_chosen_letter_is_normalised_over_all_letters() -> None:
    script = likelihoods({"A": [0.3], "B": [0.1], "C": [0.1]}, reply="B. Oslo")
    fields = {"kind": "choice", "choices": ("Bergen", "Oslo", "Narvik")}
    assert measure(OptionLetters(), script, **fields).value == pytest.approx(0.2)
    assert measure(OptionLetters(), Script(after("none", "")), **fields).value is None


def test_yes_and_no_are_options_in_either_case_of_letters() -> None:
    script = likelihoods({"Yes": [0.3], "yes": [0.1], "No": [0.4], "no": [0.2]}, reply="No.")
    assert measure(OptionLetters(), script, kind="boolean").value == pytest.approx(0.6)


def test_labels_are_two_words_for_yes_and_no_of_which_one_is_asked() -> None:
    script = likelihoods({"true": [0.1], "True": [0.5], "false": [0.1], "False": [0.1]}, reply="No.")
    asked = (Message("user", f"Is Oslo big?\n{prompts.INSTRUCTION['boolean']}"),)
    found = measure(OptionLetters(labels="True/false"), script, kind="boolean", messages=asked)
    assert (found.value, found.answer) == (pytest.approx(0.75), "yes")
    assert {request.messages[0].content for request in script.asked} == {"Is Oslo big?\nAnswer true or false."}
    with pytest.raises(Unavailable, match="words for yes and no"):
        measure(OptionLetters(labels="true/false"), script, kind="choice", choices=("a", "b"))


@pytest.mark.parametrize("labels", ["true", "true/", "a/b/c", "Yes/yes", "/"])
def test_labels_that_are_no_pair_are_refused(labels: str) -> None:
    with pytest.raises(UsageError, match="labels="):
        OptionLetters(labels=labels)


def test_likelihood_asks_openly_and_is_about_the_likeliest_option() -> None:
    choices = ("Bergen", "Oslo town")
    listed = f"Capital?\n{prompts.choices_block(choices)}\n{prompts.INSTRUCTION['choice']}"
    script = likelihoods({"Bergen": [0.1], "Oslo town": [0.9, 0.1]}, reply="A")
    fields = {"kind": "choice", "choices": choices, "messages": (Message("user", listed),)}
    found = measure(OptionLikelihood(), script, **fields)
    assert (found.value, found.answer) == (pytest.approx(0.3 / 0.4), "Oslo town")
    assert {request.messages for request in script.asked} == {(Message("user", "Capital?"),)}
    assert measure(OptionLikelihood(normalised=False), script, **fields).answer == "Bergen"


@given(st.lists(st.lists(st.floats(-2000, 0), min_size=1, max_size=4), min_size=2, max_size=5))
def test_option_likelihoods_are_a_distribution_however_unlikely_the_texts(logprobs: list[list[float]]) -> None:
    assert math.fsum(option_likelihood(logprobs)) == pytest.approx(1)
    assert math.fsum(option_likelihood(logprobs, normalised=False)) == pytest.approx(1)


@pytest.mark.parametrize("estimator", [OptionLetters(), OptionLikelihood()])
def test_open_questions_have_no_options(estimator: Any) -> None:
    with pytest.raises(Unavailable, match="no options"):
        measure(estimator, Script(after("Oslo", "")))


# -- samples -----------------------------------------------------------------------------------------------------------


def test_self_consistency_counts_unreadable_samples_as_disagreement() -> None:
    texts = ("Oslo", "It's Oslo.", "Bergen", "", "I don't know.", "oslo!")
    assert measure(SelfConsistency(samples=6), Script(samples(*texts))).value == 0.5
    assert measure(SelfConsistency(samples=2), Script(samples(*texts))).value == 1.0
    with pytest.raises(Unavailable, match="readable"):
        measure(SelfConsistency(), Script(after("I don't know.", "Oslo")))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_discrete_semantic_entropy_is_scipys_entropy_of_the_counts(meanings: list[int]) -> None:
    counts = list(Counter(meanings).values())
    assert discrete_semantic_entropy(meanings) == pytest.approx(float(scipy_entropy(counts)), abs=1e-12)


def test_semantic_entropies_of_known_clusters() -> None:
    assert discrete_semantic_entropy([0, 1, 2, 1]) == pytest.approx(1.5 * math.log(2))
    assert discrete_semantic_entropy([0] * 5 + [1] * 5) == pytest.approx(math.log(2))
    weighed = semantic_entropy([0, 1, 0], [math.log(0.1), math.log(0.6), math.log(0.1)])
    assert weighed == pytest.approx(float(scipy_entropy([0.2, 0.6])))


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-3000, 0)), min_size=1, max_size=10), st.floats(-3000, 0))
def test_semantic_entropy_is_bounded_and_unchanged_by_a_common_factor(
    drawn: list[tuple[int, float]], shift: float
) -> None:
    meanings, logprobs = zip(*drawn, strict=True)
    value = semantic_entropy(meanings, logprobs)
    assert 0 <= value <= math.log(len(set(meanings))) + 1e-9
    assert semantic_entropy(meanings, [logprob + shift for logprob in logprobs]) == pytest.approx(value, abs=1e-6)


def test_semantic_entropy_counts_a_text_once_and_normalises_by_length() -> None:
    drawn = [says("Oslo", 0.5), says("Oslo", 0.5), says("It is Oslo", 0.25, 1.0), says("Bergen", 0.5, 0.5)]
    script = Script(lambda request: drawn[(request.seed or 0) % 1024])

    def value(**knobs: Any) -> float | None:
        return measure(SemanticEntropy(samples=4, **knobs), script).value

    assert value() == pytest.approx(-float(scipy_entropy([0.5 + 0.5, 0.5])))
    assert value(form="sum") == pytest.approx(-float(scipy_entropy([0.5 + 0.5 + 0.5, 0.5])))
    assert value(length_normalised=False) == pytest.approx(-float(scipy_entropy([0.5 + 0.25, 0.25])))


@pytest.mark.parametrize("kind", [SemanticEntropy, DiscreteSemanticEntropy])
def test_samples_without_answers_are_one_class_and_nothing_else_is_no_number(kind: Any) -> None:
    half = measure(kind(samples=4, **({"form": "sum"} if kind is SemanticEntropy else {})),
                   Script(samples("Oslo", "I don't know", "Oslo", "no idea")))  # fmt: skip
    assert half.value == pytest.approx(-math.log(2))
    assert measure(kind(), Script(after("", ""))).value is None
    with pytest.raises(UsageError, match="telepathy"):
        kind(equivalence="telepathy")


# -- P(True) -----------------------------------------------------------------------------------------------------------


def test_p_true_is_the_share_of_true_and_shows_question_and_reply() -> None:
    script = likelihoods({"A": [0.2], "B": [0.3]}, reply="Oslo")
    assert measure(PTrue(), script).value == pytest.approx(0.4)
    (shown,) = script.asked[-1].messages
    assert all(part in shown.content for part in (QUESTION[0].content, "answer: Oslo", "(A) True", "(B) False"))
    assert "brainstormed" not in shown.content and len(script.asked) == 3


def test_p_true_with_samples_shows_five_ideas_first() -> None:
    script = likelihoods({"A": [0.2], "B": [0.6]}, reply="Oslo")
    assert measure(PTrueSamples(), script).value == pytest.approx(0.25)
    (shown,) = script.asked[-1].messages
    assert shown.content.count("\nOslo") == 5 and shown.content.index("brainstormed") < shown.content.index("(A) True")
    assert [request.temperature for request in script.asked].count(1.0) == 5


# -- what it says ------------------------------------------------------------------------------------------------------


def test_stated_confidence_is_read_from_the_follow_up_only() -> None:
    forged = "Oslo. Confidence: 100%"
    assert measure(StatedTwoTurn(), Script(after(forged, "about 35%"))).value == 0.35
    silent = measure(StatedTwoTurn(), Script(after(forged, "I would rather not say")))
    assert silent.value is None and silent.reason
    asked = Script(after(forged, "35%"))
    measure(StatedTwoTurn(), asked)
    assert asked.asked[-1].messages == prompts.follow_up(QUESTION, forged, prompts.CONFIDENCE)


def test_one_turn_is_read_after_the_marker_of_the_answer() -> None:
    said = "Confidence: 100%\nAnswer: Bergen\nConfidence: 30%"
    found = measure(StatedOneTurn(), Script(after("Oslo", said)))
    assert (found.value, found.answer) == (0.3, "Bergen")
    assert read("Confidence: 100%. It is Oslo.").value is None
    assert read("Answer: Oslo").value is None
    echoed = "What is it?\nAnswer: Moss\nConfidence: 100%\n"
    assert read(f"{echoed}Answer: Oslo\nConfidence: 40%")[:2] == ("Oslo", 0.4)
    assert read("Answer: Oslo (probability: 70 %)")[:2] == ("Oslo", 0.7)
    assert read("Answer: Oslo\nConfidence: high") == ("Oslo", None, "no number")
    assert read("**Answer:** Oslo, **Confidence:** 80%")[:2] == ("Oslo", 0.8)


def test_a_turn_that_is_begun_for_the_model_is_read_whole() -> None:
    script = Script(after("Oslo", " Bergen\nConfidence: 30%"), prefill=True)
    assert measure(StatedOneTurn(), script).value == 0.3
    listed = Script(after("Oslo", " Bergen\nP1: 30%"), prefill=True)
    assert measure(StatedTopK(), listed).answer == "Bergen"


def test_the_most_probable_guess_counts_and_unreadable_ones_do_not() -> None:
    said = "G1: Bergen\nP1: 30%\nG2: Oslo\nP2: 60%\nG3: Narvik\nP3: 400%\nG4: Moss\nP4: 60%"
    found = measure(StatedTopK(), Script(after("Oslo", said)))
    assert (found.value, found.answer) == (0.6, "Oslo")
    assert found.details == {"Bergen": 0.3, "Oslo": 0.6, "Moss": 0.6}
    assert guesses("G1: Oslo P1: 0.7 G2: Bergen P2: 0.1") == {"Oslo": 0.7, "Bergen": 0.1}
    assert guesses("G1: Lima\nP1: 25%\nG2: 15%\nG3: 10%\nG4: Quito\nP2: 15%") == {"Lima": 0.25}
    assert guesses("G1: Moss\nP1: 100%\n\nG1: Oslo\nP1: 20%\nG2: Oslo\nP2: 90%") == {"Oslo": 0.2}
    assert measure(StatedTopK(), Script(after("Oslo", "Oslo, surely"))).value is None


def test_examples_stand_after_the_system_message_and_show_the_form_that_is_read() -> None:
    talk = (Message("system", "Be brief."), Message("user", "Hello"), Message("assistant", "Hi"), *QUESTION)
    shown = prompts.top_k(talk, 2)
    assert (shown[0], shown[5:7]) == (talk[0], talk[1:3]) and shown[7].content.startswith(QUESTION[0].content)
    assert [list(guesses(message.content).values()) for message in (shown[2], shown[4])] == [[0.8, 0.12], [0.3, 0.25]]
    assert [read(message.content).value for message in prompts.one_turn(talk)[2:5:2]] == [0.8, 0.3]
    with pytest.raises(UsageError, match="7 guesses"):
        StatedTopK(k=7)


PUBLISHED = (
    "almost certain .9204, highly likely .8709, very good chance .8053, we believe .7508, likely .7091, "
    "probably .6868, probable .6762, better than even .5812, about even .5068, probably not .2468, we doubt .2237, "
    "unlikely .2118, improbable .1677, chances are slight .1440, little chance .1285, highly unlikely .1076, "
    "almost no chance .0651"
)


def test_words_mean_what_the_survey_found() -> None:
    table = {phrase: float(value) for phrase, _, value in (part.rpartition(" ") for part in PUBLISHED.split(", "))}
    assert table == SURVEY and list(SURVEY.values()) == sorted(SURVEY.values(), reverse=True)
    for phrase, value in table.items():
        assert certainty(f"It is {phrase.upper()}.") == (value, "")
        assert measure(CertaintyWords(), Script(after("Oslo", phrase))).value == value


def test_a_phrase_within_a_word_or_two_that_differ_are_no_phrase() -> None:
    assert certainty("unlikelyish")[0] is None
    assert certainty("likely, or unlikely")[0] is None
    assert certainty("It is not likely.")[0] is None
    assert certainty("likely, yes, likely")[0] == 0.7091


# -- what it does ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("again", "value"), [("The capital is Oslo.", 1.0), ("Bergen", 0.0), ("I cannot answer that.", None), ("", None)]
)
def test_persistence_keeps_changes_or_neither(again: str, value: float | None) -> None:
    found = measure(Persistence(), Script(after("Oslo", again)))
    assert found.value == value and bool(found.reason) == (value is None)


@pytest.mark.parametrize(
    ("answered", "kept", "bet", "value", "acts"),
    [
        ("Oslo", "keep", "bet", 1.0, (1.0, 1.0, 1.0)),
        ("I don't know", "I withdraw it.", "Pass", 0.0, (0.0, 0.0, 0.0)),
        ("Oslo", "Withdraw", "keep or bet? hm", pytest.approx(2 / 3), (1.0, 0.0, 1.0)),
        ("Oslo", "keep or withdraw", "I pass", 0.5, (1.0, None, 0.0)),
        ("Oslo", "hm", "bet or pass", None, (1.0, None, None)),
    ],
)
def test_a_deed_is_the_mean_of_the_readable_acts(
    answered: str, kept: str, bet: str, value: Any, acts: tuple[float | None, ...]
) -> None:
    def answer(request: Request) -> Reply:
        asked = request.messages[-1].content
        return says({prompts.KEEP: kept, prompts.BET: bet}.get(asked, answered))

    found = measure(Deed(), Script(answer))
    assert found.value == value and tuple(found.details.values()) == acts
    assert list(found.details) == ["answers", "keeps", "bets"]


@given(st.lists(st.sampled_from([True, False, None]), max_size=3))
def test_a_deed_lies_between_the_acts_or_is_missing(acts: list[bool | None]) -> None:
    value, done = deed(acts), [act for act in acts if act is not None]
    assert (value is None) == (len(done) < 2)
    assert value is None or min(done) <= value <= max(done)
