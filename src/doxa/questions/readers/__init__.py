"""Questions from files: JSON Lines, CSV, Parquet and the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from doxa.errors import UsageError
from doxa.questions.readers.csv import read_csv
from doxa.questions.readers.hub import read_hub
from doxa.questions.readers.jsonl import read_jsonl, write_jsonl
from doxa.questions.readers.parquet import read_parquet
from doxa.types import Question

__all__ = ["read", "read_csv", "read_hub", "read_jsonl", "read_parquet", "write_jsonl"]

_BY_SUFFIX: Mapping[str, Callable[[Path], Sequence[Question]]] = {
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl,
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".parquet": read_parquet,
}


def read(address: str) -> Sequence[Question]:
    """All questions of a file (by its suffix) or of an ``hf://`` address. Raises `UsageError` or `DataError`."""
    if address.startswith("hf://"):
        return read_hub(address)
    reader = next((reader for suffix, reader in _BY_SUFFIX.items() if address.endswith(suffix)), None)
    if reader is None:
        raise UsageError(f"{address!r} is not a file of questions", hint=f"known are: {', '.join(_BY_SUFFIX)}")
    path = Path(address).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {address!r}", hint=f"looked in {path.absolute().parent}")
    return reader(path)
