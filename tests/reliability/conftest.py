"""What the tests of kills, disks and signals share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Forks, Nursery, Server, serving


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with Forks() as found:
        yield found


@pytest.fixture
def dear(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that bills a request as it arrives; its latency, and how much that varies, are parameters."""
    latency, spread = getattr(request, "param", (0.0, 0.01))
    with serving(tmp_path / "bill", latency, spread) as found:
        yield found


@pytest.fixture
def nursery(tmp_path: Path, dear: Server, forks: Forks) -> Nursery:
    """Doxas that ask the dear server."""
    return Nursery(forks, tmp_path, dear)
