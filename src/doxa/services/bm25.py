"""Passages of a folder of documents, ranked by BM25."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from doxa.errors import DoxaError, UsageError
from doxa.services.documents import Piece, document_paths, pieces, words
from doxa.types import Passage
from doxa.wheels import cache_dir

VERSION = "bm25/1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (source TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5(
  words, text UNINDEXED, source UNINDEXED, first UNINDEXED, last UNINDEXED, tokenize = 'unicode61 remove_diacritics 0');
"""
_INSERT = "INSERT INTO passages VALUES (?, ?, ?, ?, ?)"
_SEARCH = """
SELECT text, source, first, last, -bm25(passages) FROM passages WHERE passages MATCH ?
  ORDER BY bm25(passages), source, first, passages.rowid LIMIT ?
"""


class BM25:
    """The .txt, .md, .jsonl and .csv files of a folder, searched by the full-text index of SQLite.

    A passage is a paragraph or a row, of at most `longest` characters. It scores
    Σ idf · f (k₁ + 1) / (f + k₁ (1 − b + b · length / mean length)) over the distinct words of the query, each f times
    in it, where idf = ln((N − n + 0.5) / (n + 0.5)), at least 1e-6, for a word in n of N passages, k₁ = 1.2, b = 0.75:
    what SQLite's bm25() computes, with its sign turned. Range [0, ∞), higher fits better; equals come in the order of
    their files. Small and capital letters and accents make no difference; Chinese and Japanese are read character by
    character. The index is kept in the folder `cache` (one in the user's cache unless it is named) and follows the
    documents: only files with a new content are read into it. Raises `UsageError` where there is no such folder or no
    document in it, or SQLite has no FTS5; `DataError` for a document that cannot be read. Robertson and Zaragoza 2009,
    The Probabilistic Relevance Framework: BM25 and Beyond.
    """

    def __init__(self, path: str, longest: int = 600, cache: str | None = None) -> None:
        """Bring the index up to date with the folder."""
        if longest < 1:
            raise UsageError(f"passages of {longest} characters", hint="at least 1; 600 is a paragraph")
        folder = Path(path).expanduser()
        contents = {_source(each, folder): each for each in document_paths(folder)}
        identity = f"{VERSION}\n{folder.resolve()}\n{longest}"
        place = Path(cache) if cache else cache_dir() / "documents"
        self._file = place / f"{_digest(identity.encode(errors='replace'))}.sqlite"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            digests = _follow(self._file, contents, longest)
        except sqlite3.DatabaseError as error:
            raise _explained(error, self._file) from error
        self.name = "bm25"
        self.fingerprint = f"{VERSION}\n{longest}\n{_digest(repr(sorted(digests.items())).encode(errors='replace'))}"

    async def retrieve(self, query: str, k: int) -> list[Passage]:
        """At most `k` passages, the best first; any text is a query, whatever signs it holds."""
        return await asyncio.to_thread(self.search, query, k)

    def search(self, query: str, k: int) -> list[Passage]:
        """What `retrieve` gives. Raises `UsageError` for `k` below 1."""
        if k < 1:
            raise UsageError(f"k={k!r} passages", hint="at least 1")
        # Quoted words are words: no sign and no AND, OR, NOT or NEAR of the query reaches the language of FTS5.
        wanted = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(query)))
        if not wanted:
            return []
        with _connected(self._file) as index:
            return [Passage(*row) for row in index.execute(_SEARCH, (wanted, k))]


def _follow(file: Path, paths: Mapping[str, Path], longest: int) -> dict[str, str]:
    """Bring an index up to date, all or nothing; the digest of every document."""
    digests: dict[str, str] = {}
    with _connected(file) as index:
        index.executescript(_SCHEMA)
        index.execute("BEGIN IMMEDIATE")
        known = dict(index.execute("SELECT source, digest FROM files").fetchall())
        for source, path in paths.items():
            content = path.read_bytes()
            digests[source] = _digest(content)
            if known.get(source) != digests[source]:
                _forget(index, source)
                index.executemany(_INSERT, _rows(source, pieces(path, content, longest)))
                index.execute("INSERT INTO files VALUES (?, ?)", (source, digests[source]))
        for source in known.keys() - digests.keys():
            _forget(index, source)
        index.execute("COMMIT")
    return digests


def _forget(index: sqlite3.Connection, source: str) -> None:
    index.execute("DELETE FROM files WHERE source = ?", (source,))
    index.execute("DELETE FROM passages WHERE source = ?", (source,))


def _rows(source: str, found: list[Piece]) -> Iterator[tuple[str | int, ...]]:
    return ((" ".join(words(piece.text)), piece.text, source, piece.first, piece.last) for piece in found)


@contextlib.contextmanager
def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection for a while; what is not committed then is undone."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as connection:
        yield connection


def _explained(error: sqlite3.DatabaseError, file: Path) -> DoxaError:
    if "fts5" in str(error):
        hint = "use a Python whose sqlite3 has it, as those of python.org do"
        return UsageError("the SQLite of this Python has no full-text search (FTS5)", hint=hint)
    return DoxaError(f"the index of documents {file} cannot be used: {error}", hint=f"remove it: rm {file}")


def _source(path: Path, folder: Path) -> str:
    """A document's place in the folder; a name that is not UTF-8 is written as well as can be."""
    return path.relative_to(folder).as_posix().encode(errors="replace").decode()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
