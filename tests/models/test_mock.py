"""The mock's beliefs are calibrated by construction, and it keeps every rule of a model."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import prompts
from doxa.errors import UsageError
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.models.planted.personas import PERSONAS
from doxa.models.planted.statistics import STATISTICS
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Failure, Message, Model, Question, Reply, Request

QUESTION = Planted(n=1).questions()[0]
ASK = Request(prompts.render(QUESTION), top_logprobs=6, statistics=("entropy",))


def one(request: Request, name: str = "honest") -> Reply:
    [[reply]] = asyncio.run(Mock(name).generate([request]))
    assert isinstance(reply, Reply)
    return reply


def likelihood(request: Request, text: str) -> float:
    [reply] = asyncio.run(Mock().score([replace(request, continuation=text)]))
    assert isinstance(reply, Reply) and reply.tokens
    return math.exp(sum(token.logprob or 0.0 for token in reply.tokens))


def follow_up(name: str, text: str, reply: str | None = None) -> str:
    said = one(ASK).text if reply is None else reply
    return one(Request(prompts.follow_up(ASK.messages, said, text)), name).text


@given(st.text(max_size=80), st.sampled_from(["open", "choice", "boolean", "number", "date"]))
def test_beliefs_are_a_distribution_over_different_answers(text: str, kind: str) -> None:
    choices = ("one", "two", "three") if kind == "choice" else ()
    question = Question("q", text, kind=kind, choices=choices)  # type: ignore[arg-type]
    believed = beliefs(prompts.render(question)[-1].content)
    assert math.isclose(sum(believed.values()), 1) and len(believed) >= 2
    assert list(believed.values()) == sorted(believed.values(), reverse=True)


def test_of_answers_believed_with_probability_p_a_share_p_is_right() -> None:
    gaps, variance = 0.0, 0.0
    for question in Planted(n=2000, seed=1).questions():
        assert question.answers
        for answer, p in beliefs(question.text).items():
            gaps += p * ((answer in question.answers) - p)  # weighed, as over all answers the sum would be zero
            variance += p * p * p * (1 - p)
    assert abs(gaps) < 3 * math.sqrt(variance)


def test_the_way_of_asking_does_not_change_a_belief() -> None:
    place = Planted(n=5, kind="choice").questions()[3]
    opened = beliefs(prompts.render(replace(place, kind="open", choices=()))[-1].content)
    assert opened == beliefs(prompts.render(place)[-1].content)


def test_greedy_text_sampled_text_and_scores_are_of_one_distribution() -> None:
    believed = beliefs(QUESTION.text)
    assert one(ASK).text == next(iter(believed))
    assert [likelihood(ASK, answer) for answer in believed] == pytest.approx(list(believed.values()))
    drawn = [one(replace(ASK, temperature=1.0, seed=seed)).text for seed in range(2000)]
    for answer, p in believed.items():
        assert abs(drawn.count(answer) / 2000 - p) < 4 * math.sqrt(p * (1 - p) / 2000)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=9))
def test_statistics_are_those_of_the_local_engine(weights: list[float]) -> None:
    torch = pytest.importorskip("torch")
    from doxa.models.engine import statistics as engine

    p = [weight / sum(weights) for weight in weights]
    logp = torch.tensor([p], dtype=torch.float64).log()
    for name, function in STATISTICS.items():
        if name != "margin" or len(p) > 1:  # the engine's vocabularies have more than one token
            assert function(p) == pytest.approx(float(getattr(engine, name)(logp)), abs=1e-6), name
    assert set(STATISTICS) == set(engine.STATISTICS) - {"logit_max"}


def test_every_statistic_is_read_off_the_belief() -> None:
    first, *rest = one(replace(ASK, statistics=tuple(STATISTICS))).tokens or ()
    p = list(beliefs(QUESTION.text).values())
    assert first.stats == {name: function(p) for name, function in STATISTICS.items()} and not rest
    noted = replace(ASK, messages=prompts.with_note(ASK.messages, prompts.ONE_TURN), statistics=tuple(STATISTICS))
    _, word, *_ = one(noted).tokens or ()
    assert word.stats == {"entropy": 0, "self_certainty": 0, "renyi": 0, "fisher_rao": 0, "margin": 1}


def test_without_a_question_every_text_has_the_same_small_probability() -> None:
    assert [likelihood(Request(()), text) for text in ("red", *beliefs(""))] == pytest.approx([1e-6] * 7)


def test_a_seed_fixes_a_draw_and_heat_flattens() -> None:
    warm = replace(ASK, temperature=1.0, seed=7, n=20)
    [first], [second] = asyncio.run(Mock().generate([warm])), asyncio.run(Mock().generate([warm]))
    assert first == second and len({reply.text for reply in first if isinstance(reply, Reply)}) > 1
    likeliest = one(ASK).text
    shares = [
        sum(one(replace(ASK, temperature=t, seed=seed)).text == likeliest for seed in range(300)) for t in (0.2, 1, 5)
    ]
    assert shares[0] > shares[1] > shares[2]


def test_log_probabilities_alternatives_and_entropy_are_those_of_the_belief() -> None:
    believed = beliefs(QUESTION.text)
    token = (one(ASK).tokens or ())[0]
    assert token.logprob == pytest.approx(math.log(max(believed.values())))
    assert dict(token.top) == pytest.approx({answer: math.log(p) for answer, p in believed.items()})
    assert token.stats["entropy"] == pytest.approx(-sum(p * math.log(p) for p in believed.values()))
    assert one(replace(ASK, top_logprobs=None)).tokens is None


def test_personas_speak_as_planted() -> None:
    belief = max(beliefs(QUESTION.text).values())
    said = {name: float(follow_up(name, prompts.CONFIDENCE).rstrip("%")) / 100 for name in PERSONAS}
    planted = dict.fromkeys(PERSONAS, belief) | {"overconfident": belief**0.3, "timid": belief**3, "constant": 0.9}
    assert said == pytest.approx(planted, abs=0.005)


def test_personas_act_as_planted() -> None:
    unsure = next(q for q in Planted().questions() if max(beliefs(q.text).values()) < 0.4)
    messages = prompts.render(unsure)
    acts = {}
    for name in ("honest", "contrarian", "stubborn"):
        reply = one(Request(messages), name).text
        ask = [prompts.follow_up(messages, reply, text) for text in (prompts.KEEP, prompts.BET)]
        ask.append(prompts.reconsider(messages, reply))
        kept, bet, again = (one(Request(conversation), name).text for conversation in ask)
        may = one(Request(prompts.with_note(messages, prompts.MAY_ABSTAIN)), name).text
        acts[name] = (kept, bet, may == "I don't know", again == reply)
    assert acts["honest"] == ("withdraw", "pass", True, False)
    assert acts["contrarian"] == ("keep", "bet", False, False)
    assert acts["stubborn"] == ("keep", "bet", False, True)


def test_a_reply_it_never_believed_gets_no_belief() -> None:
    assert follow_up("honest", prompts.CONFIDENCE, reply="a herd of elephants") == "0%"


def test_the_paraphrasing_mock_says_what_it_believes_in_several_wordings() -> None:
    believed = beliefs(QUESTION.text)
    answer, p = next(iter(believed.items()))
    drawn = {one(replace(ASK, temperature=1.0, seed=seed), "paraphrasing").text for seed in range(2000)}
    ways = {text for text in drawn if answer in text}
    assert one(ASK, "paraphrasing").text in ways and len(ways) == 4 and len(drawn) > len(believed)
    assert (one(ASK, "paraphrasing").tokens or ())[0].logprob == pytest.approx(math.log(p / 4))
    for way in ways:
        assert follow_up("paraphrasing", prompts.CONFIDENCE, reply=way) == f"{100 * p:.0f}%"
        again = one(Request(prompts.reconsider(ASK.messages, way), temperature=1.0, seed=2), "paraphrasing").text
        assert again == way or answer not in again
    chosen = Request(prompts.render(Planted(n=1, kind="choice").questions()[0]))
    assert one(chosen, "paraphrasing") == replace(one(chosen), model="mock/paraphrasing")


def test_the_silent_mock_shows_text_only() -> None:
    silent = Mock("silent")
    assert silent.capabilities == Capabilities(prefill=True, seed=True, n=True)
    assert one(ASK, "silent").tokens is None
    [outcome] = asyncio.run(silent.score([replace(ASK, continuation="red")]))
    assert isinstance(outcome, Failure) and outcome.kind == "unsupported"


def test_long_replies_are_cut_and_usage_counts_words() -> None:
    asked = Request(prompts.with_note(ASK.messages, prompts.ONE_TURN), max_tokens=2)
    reply = one(asked)
    assert (reply.text.split()[0], reply.finish, reply.usage.tokens_out) == ("Answer:", "length", 2)
    assert one(replace(asked, max_tokens=9, prefill="Answer:")).text.startswith(" ")
    assert one(replace(asked, max_tokens=9, stop=("%", ". Conf"))).text == f"Answer: {one(ASK).text}"


def test_it_is_a_model_and_names_its_personas() -> None:
    assert set(Mock.targets) == set(PERSONAS) and all(Mock.targets.values())
    assert isinstance(Mock(), Model)
    assert len({Mock(name).fingerprint for name in PERSONAS}) == len(PERSONAS)
    with pytest.raises(UsageError, match="liar") as caught:
        Mock("liar")
    assert "honest" in caught.value.hint


def test_any_conversation_gets_a_reply() -> None:
    for messages in ((), (Message("system", "Be brief."),), (Message("user", ""),), (Message("assistant", "Hello."),)):
        assert one(Request(messages)).text.strip()


def test_a_begun_answer_is_continued_as_it_may_go_on() -> None:
    held = beliefs(QUESTION.text)
    least = min(held, key=held.__getitem__)
    assert one(replace(ASK, prefill=least)).text == ""
    begun = least[:1]
    going_on = {answer.removeprefix(begun): p for answer, p in held.items() if answer.startswith(begun)}
    rest = one(replace(ASK, prefill=begun)).text
    assert rest == max(going_on, key=going_on.__getitem__)
    assert likelihood(replace(ASK, prefill=begun), rest) == pytest.approx(going_on[rest] / sum(going_on.values()))
    assert one(replace(ASK, prefill="Well, ")).text == one(ASK).text


def test_near_temperature_0_the_likeliest_is_drawn_and_nothing_impossible_is_shown() -> None:
    for number in range(20):
        cold = replace(ASK, messages=(Message("user", f"Who was person {number}?"),), temperature=1e-4, seed=3)
        found = one(cold)
        assert found.text == one(replace(cold, temperature=0.0)).text
        assert all(math.isfinite(logprob) for token in found.tokens or () for _, logprob in token.top)
