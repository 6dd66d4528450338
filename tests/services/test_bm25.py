"""The retriever: BM25 by hand and by brute force, hostile queries, hostile documents, an index that follows them."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doxa.errors import DataError, DoxaError, Unavailable, UsageError
from doxa.inquiry import Inquiry, Services
from doxa.services import load_service, open_services
from doxa.services.bm25 import BM25
from doxa.services.documents import Piece, pieces, words
from doxa.types import Passage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    return tmp_path / "documents"


def index(folder: Path, **knobs: Any) -> BM25:
    return BM25(str(folder), cache=str(folder.parent / "cache"), **knobs)


def fill(folder: Path, *paragraphs: str, name: str = "a.txt") -> None:
    (folder / name).write_text("\n\n".join(paragraphs), encoding="utf-8")


# -- the ranking -------------------------------------------------------------------------------------------------------


def test_the_score_is_the_one_computed_by_hand(folder: Path) -> None:
    fill(folder, "red red bead", "blue bead", "green stone on sand", "a stone", "sand")
    (found,) = index(folder).search("red", 5)
    # 5 passages, 12 words, so 2.4 on average; "red" is in 1 of them, twice among 3 words.
    idf = math.log((5 - 1 + 0.5) / (1 + 0.5))
    assert found.score == pytest.approx(idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2.4)), abs=1e-12)
    assert found.score == pytest.approx(1.4113559, abs=1e-7)


def brute_force(passages: list[str], query: str) -> list[float]:
    documents = [Counter(words(text)) for text in passages]
    mean = sum(document.total() for document in documents) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word in set(words(query)) & set(document):
            n = sum(word in other for other in documents)
            idf = max(math.log((len(documents) - n + 0.5) / (n + 0.5)), 1e-6)
            f = document[word]
            score += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * document.total() / mean))
        scores.append(score)
    return scores


WORDS = ["oak", "elm", "ash", "fir", "yew", "Élan", "elan", "木", "ir0n"]
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@given(st.lists(TEXT, min_size=1, max_size=12), TEXT)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_scores_and_order_are_those_of_brute_force(folder: Path, passages: list[str], query: str) -> None:
    fill(folder, *passages)
    found = index(folder).search(query, 50)
    expected = brute_force(passages, query)
    ranked = sorted((-score, place) for place, score in enumerate(expected) if score > 0)
    assert [each.score for each in found] == pytest.approx([-score for score, _ in ranked], abs=1e-9)
    assert sorted(each.text for each in found) == sorted(passages[place] for _, place in ranked)


def test_equals_come_in_the_order_of_files_and_lines(folder: Path) -> None:
    for name in ("b.txt", "a.txt", "c.txt"):
        fill(folder, "an oak", "an oak", name=name)
    service = index(folder)
    expected = [("a.txt", 1), ("a.txt", 3), ("b.txt", 1), ("b.txt", 3), ("c.txt", 1), ("c.txt", 3)]
    assert [(each.source, each.first) for each in service.search("oak", 9)] == expected
    fill(folder, "an oak", "an oak ", name="a.txt")  # read in again, after the others
    assert [(each.source, each.first) for each in index(folder).search("oak", 4)] == expected[:4]


# -- hostile input -----------------------------------------------------------------------------------------------------

SIGNS = ['"', '""oak', "oak AND", "NOT oak", "NEAR(oak elm, 2)", "oak*", "words:oak", "^oak", "oak + elm", "{a}: oak",
         "oak\0elm", "'; DROP TABLE passages; --", "\ud800oak", "(", "-oak", "oak\u2028elm", "\x1f"]  # fmt: skip


@pytest.mark.parametrize("query", SIGNS, ids=repr)
def test_no_sign_of_a_query_has_a_meaning(folder: Path, query: str) -> None:
    fill(folder, "one oak", "one elm", "another", "yet another", "and more")
    found = [each.text for each in index(folder).search(query, 5)]
    assert ("one oak" in found) is ("oak" in query)


@given(st.text())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_query_and_any_text_a_document_that_is_found_by_its_words(folder: Path, text: str) -> None:
    (folder / "a.jsonl").write_text(json.dumps(text) + '\n"something else"\n"and more"\n')
    found = index(folder).search(text, 5)
    known = [word for word in words(text) if word.isascii()]
    assert not known or any(each.first == 1 for each in found)
    assert len(found) <= 3


def test_a_long_query_is_no_deeper_than_a_short_one(folder: Path) -> None:
    fill(folder, "one oak", "one elm", "ash")
    assert [each.text for each in index(folder).search(" ".join(f"w{n}" for n in range(20_000)) + " oak", 5)] == [
        "one oak"
    ]


def test_other_scripts_are_found(folder: Path) -> None:
    fill(folder, "日本の首都は東京です。", "Столица России — Москва.", "São Tomé", "plain", "more", "and more")
    service = index(folder)
    assert [each.text for each in service.search("首都はどこ", 1)] == ["日本の首都は東京です。"]
    assert [each.text for each in service.search("МОСКВА", 1)] == ["Столица России — Москва."]
    assert [each.text for each in service.search("sao tome", 1)] == ["São Tomé"]


# -- documents ---------------------------------------------------------------------------------------------------------


def cut(name: str, text: str, longest: int = 600) -> list[tuple[str, int, int]]:
    return [(*piece,) for piece in pieces(Path(name), text.encode(), longest)]


def test_texts_are_cut_into_paragraphs_with_their_lines() -> None:
    assert cut("a.txt", "\n\none\r\ntwo\n\n \nthree\n") == [("one\ntwo", 3, 4), ("three", 7, 7)]
    assert cut("a.md", "# Trees\n\n## Oaks\n\nAn oak.\n\nAn elm.\n\n# End\n") == [
        ("# Trees\n\n## Oaks\n\nAn oak.", 1, 5), ("An elm.", 7, 7), ("# End", 9, 10),
    ]  # fmt: skip
    assert cut("a.txt", "") == cut("a.txt", " \n\n") == []


def test_long_paragraphs_are_cut_at_lines_then_at_spaces_then_anywhere() -> None:
    assert cut("a.txt", "aaaa\nbbbb\ncc dd ee\nffffffff", 7) == [
        ("aaaa", 1, 1), ("bbbb", 2, 2), ("cc dd", 3, 3), ("ee", 3, 3), ("fffffff", 4, 4), ("f", 4, 4),
    ]  # fmt: skip
    assert all(len(text) <= 50 for text, _, _ in cut("a.txt", "word " * 300, 50))


def test_rows_are_passages() -> None:
    assert cut("a.csv", 'city,state,note\n"Oslo, east\nside",Norway,\n\nLima,Peru,"a ""b"""\n') == [
        ("city: Oslo, east\nside; state: Norway", 2, 3), ('city: Lima; state: Peru; note: a "b"', 5, 5),
    ]  # fmt: skip
    rows = '{"city": "Oslo", "n": 3, "none": null}\n\n"plain"\n[1, "é"]\n'
    assert cut("a.jsonl", rows) == [("city: Oslo; n: 3", 1, 1), ("plain", 3, 3), ('[1, "é"]', 4, 4)]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.txt", b"\xff\xfe", "a.txt is not UTF-8"),
        ("a.jsonl", b'{"a": 1}\n{', "line 2 is not JSON"),
        ("a.jsonl", b"[" * 100_000, "line 1 is not JSON"),
        ("a.csv", b"a,b\n1\n", "line 2 cannot be read"),
        ("a.csv", b'a,b\n"1', "line 2 cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(folder: Path, name: str, content: bytes, complaint: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        index(folder)


def test_folders_without_documents_are_refused(folder: Path) -> None:
    (folder / "a.pdf").write_text("x")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.txt").write_text("x")
    with pytest.raises(UsageError, match="holds no documents"):
        index(folder)
    with pytest.raises(UsageError, match="is not a folder"):
        BM25(str(folder / "a.pdf"))
    fill(folder, "x")
    for knobs in ({"longest": 0}, {}):
        with pytest.raises(UsageError, match="passages"):
            index(folder, **knobs).search("x", 0)


# -- the index ---------------------------------------------------------------------------------------------------------


def test_the_index_follows_the_documents(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(folder, "an oak", name="a.txt")
    (folder / "below").mkdir()
    fill(folder, "an elm", name="below/b.md")
    first = index(folder)
    read: list[str] = []

    def noted(path: Path, content: bytes, longest: int) -> list[Piece]:
        read.append(path.name)
        return pieces(path, content, longest)

    monkeypatch.setattr("doxa.services.bm25.pieces", noted)
    assert index(folder).fingerprint == first.fingerprint and read == []
    fill(folder, "an elm and an ash", name="below/b.md")
    changed = index(folder)
    assert read == ["b.md"] and changed.fingerprint != first.fingerprint
    assert [each.source for each in changed.search("ash", 5)] == ["below/b.md"]
    (folder / "a.txt").unlink()
    assert index(folder).search("oak", 5) == []
    assert index(folder, longest=10).fingerprint != index(folder).fingerprint


def test_a_document_that_cannot_be_read_leaves_the_index_as_it_was(folder: Path) -> None:
    fill(folder, "an oak")
    before = index(folder)
    fill(folder, "an elm")
    (folder / "z.jsonl").write_text("{")
    with pytest.raises(DataError):
        index(folder)
    assert [each.text for each in before.search("oak elm", 5)] == ["an oak"]


def test_a_damaged_index_says_what_to_remove(folder: Path) -> None:
    fill(folder, "an oak")
    index(folder)
    (file,) = (folder.parent / "cache").iterdir()
    file.write_bytes(b"not a database, but longer than its header would be" * 100)
    with pytest.raises(DoxaError, match="cannot be used") as caught:
        index(folder)
    assert str(file) in caught.value.hint


def test_without_full_text_search_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(folder, "an oak")
    monkeypatch.setattr("doxa.services.bm25._SCHEMA", "CREATE VIRTUAL TABLE passages USING fts5_missing(words)")
    with pytest.raises(UsageError, match="no full-text search"):
        index(folder)
    with pytest.raises(sqlite3.OperationalError, match="no such module: fts5"):
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE passages USING fts5_missing(words)")


# -- how it is reached -------------------------------------------------------------------------------------------------


def test_an_inquiry_asks_it_once_and_without_it_says_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parent))
    fill(folder, "an oak", "an elm", "an ash")
    service = load_service(f"bm25/{folder}", "retrieval")
    searched: list[str] = []
    search = service.search

    def noted(query: str, k: int) -> list[Passage]:
        searched.append(query)
        return list(search(query, k))

    monkeypatch.setattr(service, "search", noted)

    async def work() -> None:
        inquiry = Inquiry("q", (), {}, services=open_services({"retrieval": service}))
        found = await asyncio.gather(*(inquiry.retrieve("oak", 2) for _ in range(3)), inquiry.retrieve("elm", 2))
        assert [each[0].text for each in found] == ["an oak"] * 3 + ["an elm"]
        assert sorted(searched) == ["elm", "oak"] and inquiry.usage.calls == 0
        with pytest.raises(Unavailable, match="--documents FOLDER"):
            await Inquiry("q", (), {}, services=Services()).retrieve("oak")

    asyncio.run(work())
    with pytest.raises(UsageError, match="bm25 is not for embedding"):
        load_service(f"bm25/{folder}", "embedding")
