"""Reading what models write: a leaf of small pure functions over one text each.

words      normalise, clean, encodable, …              replies   short_answer, choice_letter, yes_no, refusals
figures    numbers, last_number                       stated    stated_percent, first_decimal
days       dates, durations                           sameness  canonical, same_answer
formula    arithmetic                                   programs   read_expression, read_function, run_program
hedges     hedged, unhedged, claim
"""

from doxa.text.days import dates, durations
from doxa.text.figures import last_number, number_word, numbers
from doxa.text.formula import arithmetic
from doxa.text.hedges import claim, hedged, unhedged
from doxa.text.programs import Program, read_expression, read_function, run_program
from doxa.text.replies import (
    answer_sentence,
    choice_letter,
    is_refusal,
    says_nonexistent,
    says_unknown,
    sentences,
    short_answer,
    yes_no,
)
from doxa.text.sameness import canonical, number_in, same_answer
from doxa.text.stated import Stated, first_decimal, stated_percent
from doxa.text.words import clean, contains_phrase, encodable, normalise, plain, stands_in

__all__ = [
    "Program",
    "Stated",
    "answer_sentence",
    "arithmetic",
    "canonical",
    "choice_letter",
    "claim",
    "clean",
    "contains_phrase",
    "dates",
    "durations",
    "encodable",
    "first_decimal",
    "hedged",
    "is_refusal",
    "last_number",
    "normalise",
    "number_in",
    "number_word",
    "numbers",
    "plain",
    "read_expression",
    "read_function",
    "run_program",
    "same_answer",
    "says_nonexistent",
    "says_unknown",
    "sentences",
    "short_answer",
    "stands_in",
    "stated_percent",
    "unhedged",
    "yes_no",
]
