"""What is used besides the model asked: whether texts entail each other, what they mean as vectors, what documents say.

A service with a method `compute` is a batch of work on this machine and stands behind a desk; one without asks a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from doxa import registry
from doxa.errors import UsageError
from doxa.inquiry import Services

if TYPE_CHECKING:
    from doxa.journal import Journal


USES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"entailment": ("judge", "nli"), "embedding": ("minilm", "encoder"), "retrieval": ("bm25",)}
)
"""What services are for, and those that are for it."""


def load_services(entailment: str | None, embedding: str | None) -> dict[str, Any]:
    """The services of a run by what they are for, as they are written; `None` for none.

    Raises `UsageError` for a service that does not exist or is for something else.
    """
    wanted = {"entailment": entailment, "embedding": embedding}
    return {use: load_service(spec, use) for use, spec in wanted.items() if spec is not None}


def load_service(spec: str, use: str) -> Any:
    """Make the service that `spec` names: `judge` or `nli/PATH_OR_ID`, `minilm` or `encoder/PATH_OR_ID`, `bm25/FOLDER`.

    Raises `UsageError` for an unknown service, or when what it is to load is missing or needless.
    """
    name, slash, target = spec.partition("/")
    if name in registry.names("services") and name not in USES[use] and any(name in names for names in USES.values()):
        raise UsageError(f"{name} is not for {use}", hint=f"for {use} there are: {', '.join(USES[use])}")
    knobs = registry.knobs("services", name)
    if slash and "path" not in knobs:
        raise UsageError(f"{name} loads nothing of your choice, got {spec!r}", hint=f"write {name}")
    if "path" in knobs and not target:
        raise UsageError(f"{spec!r} does not say which model", hint=f"write {name}/PATH or {name}/HUB_ID")
    return registry.build("services", name, **({"path": target} if target else {}))


def open_services(services: Mapping[str, Any], journal: Journal | None = None) -> Services:
    """What inquiries use of `services` (by what they are for: see `USES`), behind `journal`."""
    return Services(*(_opened(services.get(use), journal) for use in USES))


def close_services(services: Services) -> None:
    """Stop what is being computed; a batch that a thread has begun is finished for nobody."""
    from doxa.services.desk import Desk

    for service in (services.entailer, services.embedder):
        if isinstance(service, Desk):
            service.close()


def _opened(service: Any, journal: Journal | None) -> Any:
    if not hasattr(service, "compute"):
        return service
    from doxa.services.desk import Desk

    return Desk(service, journal)
