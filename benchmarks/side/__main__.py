"""All benchmarks, one after the other, and the page they make.

python -m side [--quick] [--page FILE] [--results FOLDER]      (in `benchmarks/`)

Results that lie in FOLDER already are not measured again: stopped in between, it goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from side.environments import ROOT, last_line
from side.machine import machine
from side.page import page

MINUTES = 15


def run(file: Path, folder: Path, quick: bool) -> dict[str, Any]:
    """What one benchmark found, or why it found nothing."""
    print(f"{file.name} ...", file=sys.stderr, flush=True)
    found = folder / f"{file.stem}.json"
    if found.exists():
        return json.loads(found.read_text())
    command = [sys.executable, str(file), "--json", str(found), *(["--quick"] if quick else [])]
    broken, said = "", ""
    try:
        ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=60 * MINUTES)
        said = ran.stderr
    except subprocess.TimeoutExpired:
        broken = f"it takes longer than {MINUTES} minutes"
    if found.exists():
        return json.loads(found.read_text())
    about = file.read_text().split('"""')[1]
    empty = {"tables": [], "targets": [], "notes": [], "loses": [], "failures": [], "versions": {}}
    command = f"python benchmarks/{file.name}"
    why = broken or last_line(said)
    return {"command": command, "about": about, "broken": why, "quick": quick, "minutes": 0, "result": empty}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.results or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = [run(file, folder, given.quick) for file in sorted((ROOT / "benchmarks").glob("*.py"))]
    given.page.write_text(page(machine(), datetime.now(UTC).strftime("%-d %B %Y"), found))
    for each in found:
        print(f"{each['command']:48s} {each['minutes']:5.1f} min  {each['broken'] or 'ran'}", file=sys.stderr)
    sys.exit(1 if any(each["broken"] for each in found) else 0)


if __name__ == "__main__":
    main()
