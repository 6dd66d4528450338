"""Rows read from the raw bytes of a journal file, whatever became of its tables.

SQLite refuses a file that is cut short, and stops at the first broken frame of a write-ahead log. A row's checksum
tells by itself whether its bytes are whole, so every place that looks like the start of a row is tried. Formats of
records, overflow chains and frames: sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PAGE = 4096
"""Bytes of a page; journals are made with pages of this size."""
_VARINT = rb"[\x80-\xff]{0,8}[\x00-\x7f]"
# A record starts with the length of its header, then a code for each column: 16 bytes are ",", texts are odd numbers.
_HEADER = re.compile(rb"(?=([\x06-\x20],(%b)(%b)(%b),))" % (_VARINT, _VARINT, _VARINT), re.DOTALL)
_WAL_HEADER, _FRAME_HEADER = 32, 24

Columns = tuple[bytes, bytes, bytes, bytes, bytes]


def carve(path: Path) -> Iterator[Columns]:
    """The columns of everything that looks like a row of five: 16 bytes, three texts, 16 bytes."""
    pages, latest = _pages(path)
    for page in pages:
        for match in _HEADER.finditer(page):
            header = match[1]
            if header[0] != len(header):
                continue
            sizes = [16, *((_number(code) - 13) // 2 for code in match.groups()[1:]), 16]
            if min(sizes) >= 0:
                payload = _payload(page, match.start(), len(header) + sum(sizes), latest)
                yield _split(payload[len(header) :], sizes)


def _pages(path: Path) -> tuple[list[bytes], Mapping[int, bytes]]:
    """Every page there is, and the latest of each number: those of the write-ahead log follow those of the file."""
    content = path.read_bytes()
    pages = [content[start : start + PAGE] for start in range(0, len(content), PAGE)]
    latest = dict(enumerate(pages, 1))
    log = Path(f"{path}-wal")
    content = log.read_bytes() if log.exists() else b""
    for start in range(_WAL_HEADER, len(content), _FRAME_HEADER + PAGE):
        page = content[start + _FRAME_HEADER : start + _FRAME_HEADER + PAGE]
        latest[int.from_bytes(content[start : start + 4], "big")] = page
        pages.append(page)
    return pages, latest


def _payload(page: bytes, start: int, length: int, latest: Mapping[int, bytes]) -> bytes:
    """A record's bytes: those on its page, then those of its overflow pages, as far as there are any."""
    most = PAGE - 35
    local = length
    if length > most:
        least = (PAGE - 12) * 32 // 255 - 23
        local = least + (length - least) % (PAGE - 4)
        local = local if local <= most else least
    found = page[start : start + local]
    following = page[start + local : start + local + 4]
    seen: set[int] = set()
    while len(found) < length and (number := int.from_bytes(following, "big")) in latest and number not in seen:
        seen.add(number)
        following, rest = latest[number][:4], latest[number][4:]
        found += rest[: length - len(found)]
    return found


def _split(payload: bytes, sizes: list[int]) -> Columns:
    parts = []
    for size in sizes:
        parts.append(payload[:size])
        payload = payload[size:]
    key, model, request, reply, checksum = parts
    return key, model, request, reply, checksum


def _number(code: bytes) -> int:
    """A variable-length integer: seven bits a byte, eight in a ninth."""
    value = 0
    for byte in code[:8]:
        value = value << 7 | byte & 0x7F
    return value if len(code) < 9 else value << 8 | code[8]
