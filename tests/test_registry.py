"""Members by name, and by a spelling that gives them knobs."""

from __future__ import annotations

import pytest

from doxa import registry
from doxa.choosing import named
from doxa.errors import UsageError
from doxa.estimators.self_consistency import SelfConsistency
from doxa.estimators.variation_ratio import VariationRatio


def test_a_spelling_gives_knobs() -> None:
    assert registry.make("estimators", " variation_ratio ") == VariationRatio()
    spelled = " variation_ratio( original=True, samples = 8, temperature=1, similarity=jaccard) "
    made = registry.make("estimators", spelled)
    assert made == VariationRatio(original=True, samples=8, temperature=1.0, similarity="jaccard")
    assert isinstance(made.temperature, float)  # a request at 1 and one at 1.0 are recorded apart
    assert registry.make("estimators", "variation_ratio(similarity='jaccard')").similarity == "jaccard"
    assert registry.make("estimators", "variation_ratio()") == VariationRatio()


@pytest.mark.parametrize(
    "spelled",
    [
        "variation_ratio(", "variation_ratio(8)", "variation_ratio(samples=8", "variation_ratio(**{})",
        "variation_ratio(samples=2**9)", "variation_ratio(samples=len('a'))", "variation_ratio(samples=8, samples=9)",
        "variation_ratio(samples=8)(samples=8)", "a.b(samples=8)", "variation_ratio(samples=\0)", "(samples=8)",
        "variation_ratio(similarity=[__import__])", "()",
    ],
)  # fmt: skip
def test_what_is_no_spelling_is_refused(spelled: str) -> None:
    with pytest.raises(UsageError, match="cannot read") as refused:
        registry.make("estimators", spelled)
    assert "knob=value" in refused.value.hint


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ("variation_ratio(samples=five)", "samples must be like 5, got 'five'"),
        ("variation_ratio(samples=5.0)", "samples must be like 5, got 5.0"),
        ("variation_ratio(original=1)", "original must be like False, got 1"),
        ("variation_ratio(temperature=True)", "temperature must be like 0.7, got True"),
        ("variation_ratio(sample=5)", "no knob 'sample'"),
        ("variation_rato(samples=5)", "no 'variation_rato' in estimators"),
        ("variation_ratio(samples=1)", "too few to compare"),
    ],
)
def test_knobs_that_do_not_fit_are_refused(spelled: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        registry.make("estimators", spelled)
    assert said in str(refused.value) and refused.value.hint


@pytest.mark.parametrize("written", ["yes", "maybe", 1])
def test_a_knob_that_is_true_or_false_is_told_how_to_say_either(written: object) -> None:
    with pytest.raises(UsageError) as refused:
        registry.liken("models", "openai", {"stream": written})
    assert refused.value.hint == "write stream=true or stream=false"


def test_estimators_are_named_with_knobs_and_labelled_as_they_are_named() -> None:
    chosen = named("self_consistency,,variation_ratio(original=True, samples=8),self_consistency(samples=5), ")
    assert chosen == {
        "self_consistency": SelfConsistency(),
        "variation_ratio(original=True,samples=8)": VariationRatio(original=True, samples=8),
        "self_consistency(samples=5)": SelfConsistency(samples=5),
    }
    few, written = named("variation_ratio(original=True),variation_ratio(samples=8)", samples=3).values()
    assert few == VariationRatio(original=True, samples=3) and written == VariationRatio(samples=8)
    with pytest.raises(UsageError, match="twice"):
        named("self_consistency, self_consistency()")
