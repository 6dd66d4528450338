"""Running one benchmark from its own command line."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from side.environments import Broken
from side.measured import Result
from side.page import section
from side.playing import serve


def main(benchmark: Callable[[bool], Result]) -> None:
    """Run the benchmark of the file that calls this, or one of its sides; print what was found, or write it as JSON.

    Exit code 1 if doxa's own side fails.
    """
    sys.path.append(sys.path.pop(0))  # files here are named like packages they are compared with
    module = sys.modules["__main__"]
    parser = argparse.ArgumentParser(description=(module.__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found to FILE")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        serve(vars(module)[given.side])
        return
    start, broken = time.perf_counter(), ""
    try:
        result = benchmark(given.quick)
    except Broken as error:
        result, broken = Result(), str(error)
    found = {
        "command": f"python benchmarks/{Path(sys.argv[0]).name}{' --quick' if given.quick else ''}",
        "about": module.__doc__ or "",
        "broken": broken,
        "quick": given.quick,
        "minutes": (time.perf_counter() - start) / 60,
        "result": dataclasses.asdict(result),
    }
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    else:
        print(section(found))
    sys.exit(1 if broken else 0)
