"""What a reply says: its short answer, the option it picks, yes or no, or that it does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from doxa.text.words import normalise, plain, stands_in

_LONGEST = 4000
"""Characters of a reply that are looked at: an answer that comes later is not a short one."""

_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|textbf)\{([^{}]*)\}|\\[()\[\]]|\$(?=\d)|(?<=\d)\$")
_LABEL = re.compile(
    r"\b(?:(?:the|my|final|correct|right) ){0,3}(?:answer|antwort|réponse|respuesta|risposta|resposta|svar|ответ)"
    r"(?: is| would be| ist| est| es| è| é)?(?: ?[:=]|(?<= is)|(?<= be)|(?<= ist)|(?<= est)|(?<= es)) ?",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<!\S)[*`]+(?=\S)|(?<=\S)[*`]+(?!\w)|(?<!\w)_+(?=\w)|(?<=[^\W_])_+(?!\w)")
_BULLET = re.compile(r"^ ?(?:(?:#{1,6}|>|[-•]) )?(?:1[.)] (?=[^\W\d]))?", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"”')\]*]{0,3}(?=\s|$)|[。！？]|\n")
_ABBREVIATION = re.compile(r"(?:\b(?:St|Mt|Dr|Mr|Mrs|Ms|Ft|No|vs|ca|e\.g|i\.e)|\.[A-Z]|^[A-Z]|\b[A-Z]\w+ [A-Z])$")
_FRESH_START = re.compile(r" (?:It|The|This|That|Its|In|There|However|I|He|She|They)\b|\s*$|\n")
_FILLER = re.compile(
    r"(?:sure|certainly|of course|okay|ok|hm+|well|great question|good question|that is \w+ question|hello|hi"
    r"|thanks?|(?:im |i am )?(?:very |so )?sorry|(?:my )?apolog\w+|unfortunately|let me think|lets see)\b(?: \w+){0,2}"
)
_GUESS = re.compile(
    r"\b(?:(?:but|however),? )?(?:i (?:think|believe|guess)|i(?:['’]d|d| would) (?:say|guess)"
    r"|my (?:best )?guess (?:is|would be)|maybe|perhaps|probably|possibly)[, ]*(?:that )?"
    r"(?:(?:it|this|that)(?:['’]s| is| was| might be| could be| may be| would be) )?",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?:['’]s)? (?:is called|is named|would be|is|are|was|were|equals|ist|heißt|lautet|est|es|è|é|är|er|este|jest) "
    r"|(?<=[а-яё]) [-–—] (?:это )?",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"(?:the|it|its|this|that|these|my|your|a|an|in|die|der|das|es|la|le|les|l['’]|c['’]|el|il|lo|o|os|as|de|het|столица)\b",
    re.IGNORECASE,
)
_IT_IS = re.compile(r"(?:it|this|that|c|he|she|they)(?:['’](?:s|est|re)) ", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:, ?(?:which|who|where|because|since|as|an?|the|located|but|it|so|and it|and is|i (?:think|believe|guess))\b"
    r"|;| [-–—] (?=[^\W\d])|(?<=\S) ?\(| (?:because|since|which|located|situated)\b)",
    re.IGNORECASE,
)
_OF = re.compile(r"the (?:city|town|country|element|letter|word|number|symbol|option|date) (?:of )?", re.IGNORECASE)
_AROUND = " \t\"“”„«»‘’'`:;,!?。！？、"
_COPULA = re.compile("(?<=[^\\W\\d])(?:です|である|입니다|이에요|예요)$")


def sentences(text: str) -> list[str]:
    """The sentences of a text's beginning; abbreviations and initials ("St. John's", "D.C.") end none."""
    found, start = [], 0
    text = text[:_LONGEST]
    for match in _SENTENCE_END.finditer(text):
        abbreviated = match[0] == "." and _ABBREVIATION.search(text, max(start, match.start() - 30), match.start())
        if abbreviated and not _FRESH_START.match(text, match.end()):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [sentence for sentence in (*found, text[start:].strip()) if sentence]


def answer_sentence(text: str) -> str:
    """The sentence that holds the answer, without markup: boxed, after "Answer:", or the first that says anything."""
    return _answer_sentence(text[:_LONGEST])


@lru_cache(maxsize=1024)  # a grader asks three times for that of one reply, and every estimator may ask again
def _answer_sentence(text: str) -> str:
    text = re.sub(r"[ \t\u00a0]+", " ", plain(text))
    boxed = _BOXED.findall(text)
    text = _LATEX_TEXT.sub(lambda match: match[1] or "", boxed[-1] if boxed else text)
    text = _BULLET.sub("", _EMPHASIS.sub("", text)).strip()
    labels = [match.end() for match in _LABEL.finditer(text)]
    if labels and re.search(r"\w", text[labels[-1] :]):
        text = text[labels[-1] :]
    parts = sentences(text)
    telling = [part for part in parts if not _says_nothing(part)]
    return (telling or parts or [""])[0]


def _says_nothing(sentence: str) -> bool:
    """Whether a sentence is a greeting, a question, a heading or an avowal of ignorance without a guess."""
    if sentence.endswith(("?", ":")) or not re.search(r"\w", sentence):
        return True
    return _FILLER.fullmatch(normalise(sentence)) is not None or _avows(sentence)


def short_answer(text: str) -> str:
    """The answer inside a chatty reply: without lead-in, markup and explanation; "" if there is no text.

    >>> short_answer("Sure! **The capital of France is Paris**, which lies on the Seine.")
    'Paris'
    >>> short_answer("Paris is the capital of France."), short_answer("Answer: (b) 42 km")
    ('Paris', '(b) 42 km')
    """
    answer = answer_sentence(text)
    guess = _GUESS.search(answer)
    if guess and re.search(r"\w", answer[guess.end() :]):
        answer = answer[guess.end() :]
    answer = _IT_IS.sub("", answer, count=1) if _IT_IS.match(answer) else _complement(answer)
    tail = _TAIL.search(answer)
    if tail and re.search(r"\w", answer[: tail.start()]):
        answer = answer[: tail.start()]
    if of := _OF.match(answer):
        answer = answer[of.end() :] or answer
    trimmed = _COPULA.sub("", answer.strip(_AROUND + "."))
    return answer.strip(_AROUND) if re.search(r"\b[A-Z]\.[A-Z]$", trimmed) else trimmed or answer.strip()


def _complement(sentence: str) -> str:
    """The side of "is" that is the answer: the right one of "The capital is X", the left one of "X is the capital"."""
    verb = _VERB.search(sentence, 0, 200)
    if verb is None or not re.search(r"\w", sentence[verb.end() :]):
        return sentence
    left, right = sentence[: verb.start()], sentence[verb.end() :]
    return left if left and not _POINTER.match(left) and _POINTER.match(right) else right


# Option letters: a label counts most, then a marked letter, then a bare capital in running text (never A or I there).
_LETTER_LABEL = re.compile(
    r"(?:\banswer(?: is| would be)?|\boption|\bchoice|\bletter)(?: is)? ?[:=]? ?(?:option |choice |letter )?"
    r"[(\[*\"']{0,3}([a-z])(?=[)\]*\"'.,:;!]|\s*$|\s*\n| (?:or|and)\b)",
    re.IGNORECASE,
)
_LETTER_MARKED = re.compile(r"(?:^|(?<=\n)) ?([A-Za-z])(?=[.):,\]]|\s*(?:\n|$))|[(\[]([A-Za-z])[)\]]")
_LETTER_BARE = re.compile(r"(?<![\w'’.&-])([B-HJ-Z]|[AI](?=[.!,;)]|\s*$))(?![\w'’&-])")
_LETTER_PAIR = re.compile(r"(?<![\w'’])([A-Z])\)?,? ?(?:or|and|/|&|,) ?\(?([A-Z])(?![\w'’])")


def choice_letter(text: str, choices: Sequence[str]) -> int | None:
    """The index of the option a reply picks; `None` if it picks none, or several.

    Read as an option: its exact text; a letter that stands alone ("B", "(b)", "B.", "Answer: B", or a bare capital in
    a sentence: A and I only at its end); else the only option whose text occurs. A letter beside another option's text
    is `None`.

    >>> choice_letter("A good question. It is B.", ["Oslo", "Bern"]), choice_letter("A or B", ["Oslo", "Bern"])
    (1, None)
    """
    wanted = [normalise(choice) for choice in choices]
    text = re.sub(r"[ \t]+", " ", _EMPHASIS.sub("", plain(text[:_LONGEST]))).strip()
    if not _LETTER_MARKED.search(text):
        for exact in (normalise(text), normalise(short_answer(text))):
            if exact and wanted.count(exact) == 1:
                return wanted.index(exact)
    letters = _letters(text, len(choices))
    if len(letters) > 1:
        return None
    named = _named(text, wanted)
    if letters:
        index = letters.pop()
        return None if len(named) == 1 and named[0] != index else index
    return named[0] if len(named) == 1 else None


def _letters(text: str, count: int) -> set[int]:
    """Indices of the option letters a reply names, in its clearest form; "A or B" names both."""
    pairs = {match.start(1): set(match.groups()) for match in _LETTER_PAIR.finditer(text)}
    for pattern in (_LETTER_LABEL, _LETTER_MARKED, _LETTER_BARE):
        found: set[str] = set().union(*([] if pattern is _LETTER_LABEL else pairs.values()))
        for match in pattern.finditer(text):
            group = match.lastindex or 1
            found |= pairs.get(match.start(group), set()) | {match[group].upper()}
        if indices := {ord(letter) - 65 for letter in found if ord(letter) - 65 < count}:
            return indices
    return set()


def _named(text: str, wanted: Sequence[str]) -> list[int]:
    """Indices of the options whose texts occur, leaving out those that are part of a longer one that occurs."""
    words = normalise(text)
    there = [i for i, option in enumerate(wanted) if stands_in(words, option)]
    return [i for i in there if not any(i != j and stands_in(wanted[j], wanted[i]) for j in there)]


_YES_WORDS = """
    yes true correct yep yeah right affirmative ja oui si sim da да tak evet はい 是 是的 네 예 نعم हाँ ναι
"""
_NO_WORDS = """
    no false incorrect nope wrong negative nein non nao ne нет nie nej hayir いいえ 不 否 不是 아니요 لا नहीं οχι
"""
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())


def yes_no(text: str) -> bool | None:
    """Yes or no as a reply's answer says it; `None` if it says neither, or both.

    >>> yes_no("No, nobody knows."), yes_no("The statement is true."), yes_no("I know.")
    (False, True, None)
    """
    answer = normalise(answer_sentence(text)).split()
    if not answer:
        return None
    if answer[0] in _YES | _NO and answer[1:3] not in (["and", "no"], ["or", "no"]):
        return answer[0] in _YES
    said = {word in _YES for word in answer if word in ("yes", "no", "true", "false", "correct", "incorrect")}
    if len(said) != 1 or {"not", "isnt", "neither"} & set(answer):
        return None
    return said.pop()


# The phrases below are looked for in normalised text, where articles and apostrophes are gone.
_KNOW_NOT = re.compile(
    r"\b(?:i|we) (?:\w+ly |just )?(?:do not|dont|did not|didnt) (?:\w+ly )?"
    r"(?:know|remember|recall|have (?:any |enough |sufficient )?(?:information|knowledge|idea|data|access|clue))\b"
    r"|\b(?:i am|im|we are) (?:\w+ly |just |still )?(?:not (?:\w+ly |100% |quite )?(?:sure|certain|aware|familiar|able)"
    r"|unsure|uncertain|unable|unaware)\b"
    r"|\b(?:cannot|can not|cant|could not|couldnt|unable to|not able to) (?:\w+ly )?"
    r"(?:answer|determine|find|say|tell|provide|verify|confirm|identify|give|know|recall|be (?:sure|certain|determined|"
    r"answered|verified|known))\b"
    r"|\b(?:have|with|is|there are) (?:no|insufficient|not enough) (?:idea|clue|information|knowledge|records?|data)\b"
    r"|\b(?:is|are|was) (?:unknown|unclear|undefined|unspecified|impossible to (?:say|know)"
    r"|not (?:\w+ly )?(?:known|clear|specified|mentioned|stated|given|provided|available|listed|defined))\b"
    r"|^(?:unknown|unsure|uncertain|no idea|not sure|not certain|not known|idk|dunno|dont know|do not know|n a|"
    r"no answer|no clue|no se|unanswerable|abstain|not enough information|insufficient information)$"
)
_FOREIGN_PHRASES = """
    weiß nicht, weiß es nicht, weiß ich nicht, keine ahnung, je ne sais pas, aucune idée, no lo sé, non lo so, não sei,
    weet het niet, weet ik niet, vet inte, vet ikke, ved ikke, ved det ikke, nie wiem, не знаю, bilmiyorum, en tiedä,
    nevím, nem tudom, nu știu, δεν γνωρίζω, δεν ξέρω, पता नहीं, tidak tahu, لا أعرف, لا أدري, わかりません, 分かりません,
    知りません, 不知道, 不确定, 不清楚, 모르겠, 모릅니다
"""
_FOREIGN = re.compile("|".join(normalise(phrase) for phrase in _FOREIGN_PHRASES.split(",")))
_DECLINES = re.compile(
    r"\b(?:i|we) (?:(?:cannot|can not|cant|could not|wont|will not|am unable to|am not able to) (?:\w+ly )?"
    r"(?:help|assist|comply|answer|provide|share|engage|discuss|continue|respond|support|generate|create|offer|reveal|fulfil)"
    r"|(?:must |have to |will )?(?:decline|refuse)\b)"
    r"|\bas ai\b.{0,80}\b(?:cannot|cant|dont|do not|unable|not able)\b"
    r"|\b(?:im|i am) (?:sorry|unable|not able)\b.{0,40}\b(?:cannot|cant|unable|not able|help|assist|answer)\b"
)
_NOT_THERE = re.compile(
    r"\b(?:(?:does|do|did) not|doesnt|dont|didnt|never) (?:\w+ly )?exist(?:ed)?\b|\bno such\b|\bnon ?exist\w+\b"
    r"|\b(?:not|isnt|arent) (?:\w+ )?(?:real|existing)\b"
    r"|\b(?:not|isnt|arent) (?:any )?(?:\w+ )?(?:actual|recogni[sz]ed|known|valid|official) (?!as\b|for\b|to\b|by\b)\w+"
    r"|\b(?:fictional|fictitious|imaginary|invented|made up|hypothetical)\b"
    r"|\bthere is no (?:\w+ ){0,3}(?:country|element|nation|state|place|city|person|book|word|thing)\b"
)


def _avows(sentence: str) -> bool:
    """Whether one sentence says "I don't know" and goes on without a guess."""
    words = normalise(sentence)
    match = _KNOW_NOT.search(words) or _FOREIGN.search(words)
    return match is not None and _GUESS.search(words, match.end()) is None


def _opening(text: str) -> tuple[str, str]:
    """The first sentence that is neither a greeting nor a question, and the text of the next three."""
    parts = sentences(re.sub(r"[ \t]+", " ", _EMPHASIS.sub("", plain(text[:_LONGEST]))))
    for i, part in enumerate(parts):
        if not part.endswith("?") and _FILLER.fullmatch(normalise(part)) is None:
            return part, " ".join(parts[i + 1 : i + 4])
    return "", ""


def says_unknown(text: str) -> bool:
    """Whether a reply says that it does not know: in its first telling sentence, and without a guess after it.

    >>> says_unknown("Sorry, I don't know."), says_unknown("I'm not sure, but I think Paris."), says_unknown("I know.")
    (True, False, False)
    """
    first, later = _opening(text)
    if _avows(first):
        return _GUESS.search(later) is None and _LABEL.search(later) is None
    return _avows(answer_sentence(text))


def is_refusal(text: str) -> bool:
    """Whether a reply declines to answer ("I can't help with that", "As an AI, I cannot …") in its first sentence."""
    return _DECLINES.search(normalise(_opening(text)[0])) is not None


def says_nonexistent(text: str) -> bool:
    """Whether a reply says that what was asked about does not exist, in its first two sentences."""
    return any(_NOT_THERE.search(normalise(sentence)) for sentence in sentences(plain(text[:_LONGEST]))[:2])
