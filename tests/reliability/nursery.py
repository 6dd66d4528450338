"""Forks doxas that have everything imported already, so that hundreds can be killed in minutes.

Orders come as JSON, a line each; back go the process's number and, once it has ended, how. `deadly` is the number of
the write at which the process kills itself: before every opening for writing, renaming, linking, unlinking and closing
of a journal, and before and after every commit and `fsync`. `acknowledged` is a file that gets a line for every answer
that was handed on as recorded, the independent witness of what must not be lost.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import scipy.special  # noqa: F401

import doxa.analysis
import doxa.calibrators.platt
import doxa.choosing
import doxa.cli.main
import doxa.cli.progress
import doxa.cli.running
import doxa.engines.local
import doxa.estimators.perplexity
import doxa.flow
import doxa.grading.rules
import doxa.models.openai
import doxa.questions.readers.jsonl
import doxa.questions.readers.rows
import doxa.report.html
import doxa.report.terminal
import doxa.services.judge
from doxa.journal import Journal

CHANGES = {"os.rename", "os.remove", "os.link"}


def die_at(number: int, folder: str) -> None:
    """Kill this process at the numbered write into `folder`."""
    left = number

    def point(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event in CHANGES or (event == "open" and set(arguments[1] or "") & set("wax+"))
        if writes and folder in str(arguments[0]):
            point()

    def around(done: Callable[..., Any], *arguments: Any) -> Any:
        point()
        result = done(*arguments)
        point()
        return result

    class Mortal(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> Any:
            return (partial(around, super().execute) if sql == "COMMIT" else super().execute)(sql, *parameters)

        def close(self) -> None:
            point()
            super().close()

    sys.addaudithook(heard)
    os.fsync = partial(around, os.fsync)
    sqlite3.connect = partial(sqlite3.connect, factory=Mortal)


def acknowledge(path: str) -> None:
    """Write the key of every answer that is handed on as recorded to a file."""
    put = Journal.put

    async def put_and_tell(self: Journal, key: bytes, *rest: Any) -> None:
        await put(self, key, *rest)
        os.write(handle, key.hex().encode() + b"\n")

    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    Journal.put = put_and_tell  # type: ignore[method-assign]


def become(order: dict[str, Any]) -> None:
    """Be the doxa that was ordered."""
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(stream, number)
    os.environ.update(order["environment"])
    for name, most in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    if order["acknowledged"]:
        acknowledge(order["acknowledged"])
    if order["deadly"]:
        die_at(order["deadly"], order["folder"])
    sys.argv = ["doxa", *order["arguments"]]
    doxa.cli.main.main()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
