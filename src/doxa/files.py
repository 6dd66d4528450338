"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from doxa.errors import DataError, DoxaError


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
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise error(f"{target} cannot be written: {problem.strerror}", hint=hint) from problem
    return target
