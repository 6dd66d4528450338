"""Where a verb may write: never over what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def check_output(out: Path | None, *inputs: Path | str, suffixes: Sequence[str] = ()) -> None:
    """Raise `UsageError`, before any work, where `out` is a folder, one of the files that are read, or ends otherwise.

    An input is a file, `reader:FILE` of another tool's log, or a run's directory, whose own files are kept.
    """
    from doxa.errors import UsageError

    if out is None:
        return
    if out.is_dir():
        raise UsageError(f"{out} cannot be written: it is a folder", hint="name a file in it with -o")
    for given in inputs:
        if out.exists() and any(path.is_file() and path.samefile(out) for path in files_of(given)):
            raise UsageError(f"the output would replace the input {out}", hint="choose another file with -o")
    if suffixes and out.suffix.lower() not in suffixes:
        raise UsageError(f"cannot write {out.name}", hint=f"the name must end in {', '.join(suffixes)}")


def files_of(given: Path | str) -> list[Path]:
    """The files that an input may stand for."""
    from doxa.recordings import split
    from doxa.runs import INFO, ITEMS, METRICS

    named = split(str(given))
    path = Path(given if named is None else named[1])
    return [path, *(path / name for name in (INFO, ITEMS, METRICS))]
