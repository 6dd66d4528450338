"""Environments of the rivals: one for each set of packages, made once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv" / "bench"
PIP = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"))


class Broken(Exception):
    """A side that cannot be measured; the message is for the page."""


def environment(packages: Sequence[str]) -> Path:
    """The interpreter of an environment with these packages, made on first use.

    Raises `Broken` if they do not install.
    """
    folder = FOLDER / re.sub(r"[^a-z0-9.]+", "-", packages[0].lower()).strip("-")
    python, done, wanted = folder / "bin" / "python", folder / "installed.txt", "\n".join(packages)
    if done.exists() and done.read_text() == wanted:
        return python
    print(f"installing {', '.join(packages)} (once)", file=sys.stderr)
    clear = ["--clear"] if done.exists() else []
    for command in (
        [sys.executable, "-m", "venv", *clear, str(folder)],
        [str(python), *PIP, *packages],
    ):
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise Broken(f"does not install: {last_line(ran.stderr or ran.stdout)}")
    done.write_text(wanted)
    return python


def last_line(text: str) -> str:
    """The last line of what a process said that says something, without the paths of this machine."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|[\w.]*(Error|Exception|Broken))\b", line)]
    said = (errors or lines or ["no message"])[-1]
    return re.sub(r"(?<![\w./])(?:file://)?/(?!/)(?:[\w.+@-]+/)+([\w.+@-]*)", r"\1", said)[:300]
