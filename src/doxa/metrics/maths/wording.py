"""The sentences under the knows/says/does table. They never say more than the intervals allow."""

from __future__ import annotations

from collections.abc import Callable

from doxa.metrics.maths.agreement import Agreement
from doxa.types import Measurement

FEW = 20
"""Under so many questions nothing is said but that."""


def sentences(table: Agreement) -> list[str]:
    """What the table shows, one sentence per rule that applies, in the order of `RULES`."""
    if table.accuracy.n < FEW:
        return [f"{table.accuracy.n} questions are too few to tell anything."]
    return [sentence for rule in RULES if (sentence := rule(table))]


def right_and_says(table: Agreement) -> str | None:
    """Accuracy against stated confidence; the interval of their difference decides the wording."""
    over, said, right = table.says.overconfidence, table.says.mean, table.accuracy
    if right.value is None:
        return None
    if said.value is None or over.value is None:
        return f"It is right {percent(right.value)} of the time."
    start = f"It is right {percent(said.value - over.value)} of the time and says"
    if above(over, 0):
        return f"{start} {percent(said.value)}."
    if below(over, 0):
        return f"{start} only {percent(said.value)}."
    return f"{start} {percent(said.value)}, a difference that {over.n} questions cannot tell from none."


def samples_or_words(table: Agreement) -> str | None:
    """Which of belief and word tells right from wrong better; only if it does so at all."""
    edge = table.edge
    if edge.difference is None or edge.p is None:
        return None
    if edge.low is not None and edge.low > 0 and above(table.knows.auroc, 0.5):
        return "It knows more than it says: believe its samples, not its words."
    if edge.high is not None and edge.high < 0 and above(table.says.auroc, 0.5):
        return "It says more than its samples show: believe its words, not its samples."
    if not above(table.knows.auroc, 0.5) and not above(table.says.auroc, 0.5):
        return f"On {edge.n} questions neither its samples nor its words tell right from wrong better than chance."
    return f"Whether its samples or its words know more, {edge.n} questions cannot tell."


def acts_on_word(table: Agreement) -> str | None:
    """Whether deeds follow the word; silent where half of the acts could be a coin's."""
    rational = table.rational
    if rational.value is None:
        return None
    if above(rational, 0.5):
        return f"It acts on its word in {percent(rational.value)} of its acts."
    if below(rational, 0.5):
        return f"It acts against its word: only {percent(rational.value)} of its acts fit what it says."
    return None


RULES: tuple[Callable[[Agreement], str | None], ...] = (right_and_says, samples_or_words, acts_on_word)


def above(measured: Measurement, mark: float) -> bool:
    """Whether the whole interval lies above the mark."""
    return measured.low is not None and measured.low > mark


def below(measured: Measurement, mark: float) -> bool:
    """Whether the whole interval lies below the mark."""
    return measured.high is not None and measured.high < mark


def percent(share: float) -> str:
    """A share in whole per cent."""
    return f"{round(100 * share)} %"
