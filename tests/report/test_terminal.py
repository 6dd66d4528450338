"""The summary fits its width whatever the texts are, and says what the page says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from doxa.report.terminal import clip, summary, wrap
from report import runs

INPUTS = runs.edges_of_input()


def test_the_usual_run_reads_like_this() -> None:
    text = summary(runs.run(), runs.metrics(), page="runs/quickstart/report.html", then="doxa list estimators")
    assert text.split("\n")[:14] == [
        "smollm2 · 100 questions · 4 banks · 12 estimators",
        "4 m 41 s · 2,900 calls · 92 k tokens",
        "",
        "                   knows says       does             world",
        "knows (samples)    —     ρ .21±.16  ρ .35±.16        AUROC .79±.08 ECE .11±.05",
        "says  (two turns)        —          rational .58±.10 AUROC .55±.09 ECE .38±.05",
        "does  (three acts)                  —                AUROC .61±.08 ECE .24±.05",
        "96 questions with all three; ±, − or + is the wider side of the 95 % interval",
        "",
        "It is right 48 % of the time and says 86 %.",
        "It knows more than it says: believe its samples, not its words.",
        "Refusing the least sure 40 % would leave 18 % errors (at most 27 %, 95 %).",
        "",
        "about the reply                AUROC     AURC      Brier cal   calls tokens    n",
    ]
    assert text.endswith("\n\n→ runs/quickstart/report.html   next: doxa list estimators")


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("width", [80, 60, 100])
def test_no_line_is_wider_than_the_terminal_and_nothing_steers_it(name: str, width: int) -> None:
    text = summary(*INPUTS[name], width, page="a/" * 60, then="b" * 90)
    assert all(cell_len(line) <= width for line in text.split("\n"))
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"]


def test_what_is_not_measured_is_left_out_and_what_is_lost_is_said() -> None:
    assert "knows" not in summary(*INPUTS["no agreement"]).split("It is right")[0]
    assert "! the run is interrupted: these are the numbers so far" in summary(*INPUTS["interrupted"])
    assert "about the reply" not in summary(*INPUTS["no estimator"])


def test_methods_about_answers_of_their_own_are_not_ranked_with_the_others() -> None:
    told = summary(runs.run(), runs.metrics())
    ranked, own = told.split("about an answer of their own")
    assert "stated_top_k" in own and "stated_top_k" not in ranked.split("about the reply")[1]


def test_why_there_is_no_auroc_is_said_once() -> None:
    metrics, reason = runs.metrics(), "undefined: all answers are right, or all are wrong"
    none = {"value": None, "low": None, "high": None, "reason": reason}
    assert reason not in summary(runs.run(), metrics)
    first = metrics["estimators"][0]
    first["raw"]["auroc"] |= none
    assert f"no AUROC of {first['name']}: {reason}" in " ".join(summary(runs.run(), metrics).split())
    for row in metrics["estimators"]:
        row["raw"]["auroc"] |= none
    told = " ".join(summary(runs.run(), metrics).split())
    assert f"no AUROC of any of them: {reason}" in told and told.count(reason) == 1


@given(st.text(), st.integers(2, 40))
def test_a_clipped_line_fits_and_a_short_one_stays(text: str, width: int) -> None:
    clipped = clip(text, width)
    assert "\n" not in clipped and cell_len(clipped) <= width
    plain = "word " * (width // 10)
    assert clip(plain, width) == plain.rstrip()


@given(st.lists(st.sampled_from(["a", "word", "日本語", "longer"]), min_size=1), st.integers(6, 30))
def test_wrapping_keeps_every_word_in_order(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(cell_len(line) <= width for line in lines)


def test_every_estimator_has_its_line_and_what_it_rests_on_is_said() -> None:
    metrics = runs.metrics()
    metrics["estimators"][0]["provenance"] = {"entailment by judge": 90, "normalised": 6}
    told = summary(runs.run(), metrics)
    for entry in metrics["estimators"]:
        assert any(line.startswith(entry["name"][:30]) for line in told.splitlines())
    note = f"resting on entailment by judge 90, normalised 6: {metrics['estimators'][0]['name']}"
    assert note in told.replace("\n", " ")


def test_what_was_left_out_is_said_with_its_reason() -> None:
    gone = {"p_true": "no log-probabilities", "luq": "no service", "perplexity": "no log-probabilities"}
    told = " ".join(summary(runs.run(left_out=gone), runs.metrics()).split())
    assert "! left out, no log-probabilities: p_true, perplexity" in told and "! left out, no service: luq" in told


def test_an_estimator_without_a_number_says_why() -> None:
    metrics = runs.metrics()
    metrics["estimators"][0] |= {"n": 0, "reasons": {"there is no entailment service": 100}}
    told = " ".join(summary(runs.run(), metrics).split())
    assert f"no number from {metrics['estimators'][0]['name']}: there is no entailment service" in told


def test_what_own_answers_change_has_a_line_each() -> None:
    told = summary(runs.run(), runs.metrics()).split("\n")
    start = next(place for place, line in enumerate(told) if line.startswith("what own answers change"))
    assert told[start : start + 7] == [
        "what own answers change        reply    own      gained lost  p     κ          n",
        "stated_top_k                   .48±.10  .64±.10  21     6     .006  .44±.17   96",
        "stated_one_turn                —        —        —      —     —     —          0",
        "surer afterwards               right             wrong",
        "before_and_after               .11±.05 (n 46)    −.02±.06 (n 50)",
        "share right of the replies     kept              changed",
        "persistence                    .70±.10 (n 80)    — (n 0)",
    ]
    assert "what own answers change" not in summary(*INPUTS["no changes"])


def test_what_thinking_buys_is_shown_where_it_was_measured() -> None:
    told = summary(runs.run(), runs.metrics()).splitlines()
    start = next(place for place, line in enumerate(told) if line.startswith("what thinking buys"))
    assert told[start : start + 8] == [
        "what thinking buys       from answered right   U r=0    U r=1    U r=20        n",
        "final_answer(budget=32)  .50  .30±.08  .66±.08 .20±.20  .10±.20  −1.80±.20    96",
        "final_answer(budget=32)  .95  .00±.00  .00±.00 .00±.00  .00±.00  .00±.00      96",
        "early answers                  right     changed   same unaided unreadable   n",
        "early_answering(chains=1)      .40±.08   .40±.08   .40±.08      3           96",
        "early_answering(chains=5)      .40±.08   .40±.08   .40±.08      3           96",
        "against fewest chains          gain     p      broken   solved   d          n",
        "early_answering(chains=5)      .10±.08  .100   .10±.08  .10±.08  —         96",
    ]
    assert "what thinking buys" not in summary(*INPUTS["no changes"])
