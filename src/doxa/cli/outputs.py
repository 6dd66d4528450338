"""Where a verb may write: never over what it reads."""

from __future__ import annotations

from pathlib import Path


def check_output(out: Path | None, *inputs: Path | str) -> None:
    """Raise `UsageError`, before any work, where `out` is a folder or one of the files that are read.

    An input is a file, `reader:FILE` of another tool's log, or a run's directory, whose own files are kept.
    """
    from doxa.errors import UsageError

    if out is None or not out.exists():
        return
    if out.is_dir():
        raise UsageError(f"{out} cannot be written: it is a folder", hint="name a file in it with -o")
    for given in inputs:
        if any(path.is_file() and path.samefile(out) for path in files_of(given)):
            raise UsageError(f"the output would replace the input {out}", hint="choose another file with -o")


def files_of(given: Path | str) -> list[Path]:
    """The files that an input may stand for."""
    from doxa.recordings import split
    from doxa.runs import INFO, ITEMS, METRICS

    named = split(str(given))
    path = Path(given if named is None else named[1])
    return [path, *(path / name for name in (INFO, ITEMS, METRICS))]
