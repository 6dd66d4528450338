"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from doxa.errors import DataError, DoxaError


@contextlib.contextmanager
def draft(
    target: Path, *, error: type[DoxaError] = DataError, hint: str = "choose another file with -o"
) -> Iterator[Path]:
    """A file to write within; after that it is put on disk and takes the name of `target`.

    Raises `error` with `hint` where that is not possible; what stood there before is untouched then.
    """
    path = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
    except OSError as problem:
        raise error(f"{target} cannot be written: {problem.strerror}", hint=hint) from problem
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def write(
    content: str | bytes,
    target: Path,
    *,
    error: type[DoxaError] = DataError,
    hint: str = "choose another file with -o",
) -> Path:
    """Write a file, and make its folder; it takes its name only when it is whole and on disk.

    Raises `error` with `hint` where that is not possible; what stood there before is untouched then.
    """
    with draft(target, error=error, hint=hint) as path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return target
