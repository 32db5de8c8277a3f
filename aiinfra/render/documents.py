"""From what a program declared to the documents that it would apply. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.catalog import domains
from aiinfra.domain import for_token, load
from aiinfra.engine.wire import Secret, Tree, Unknown, holds_unknown
from aiinfra.render.document import Document, ShownResource
from aiinfra.render.monitor import Recorded
from aiinfra.render.tracing import SECRET_SOURCE, STACK_SOURCE


def documents(stack: str, resources: Sequence[Recorded]) -> Iterator[Document]:
    """What `stack` would apply, in the order of `resources`; a resource that its domain does not show is left out."""
    shows = {token: target for domain in domains().values() for token, target in domain.documents.items()}
    for resource in resources:
        if target := for_token(shows, resource.type):
            shown = {key: masked(value, reason(stack, resource, key)) for key, value in resource.properties.items()}
            yield from load(target)(ShownResource(stack, resource.name, shown))


def reason(stack: str, resource: Recorded, key: str) -> str:
    """Why a property is not known: `known after cluster`, or the name of its secret source."""
    sources = resource.sources.get(key, frozenset())
    secrets = sorted(s.removeprefix(SECRET_SOURCE) for s in sources if s.startswith(SECRET_SOURCE))
    stacks = sorted(s.removeprefix(STACK_SOURCE) for s in sources if s.startswith(STACK_SOURCE))
    others = [s for s in sources if not s.startswith((SECRET_SOURCE, STACK_SOURCE))]
    if secrets and not stacks and not others:
        return ", ".join(secrets)
    return f"known after {', '.join(stacks) if stacks and not others else stack}"


def masked(tree: Tree, why: str) -> Any:
    """The value as a reader may see it; `why` is said of what is not known."""
    if isinstance(tree, Secret):
        return f"<secret {why}>" if holds_unknown(tree.value) else "<secret>"
    if isinstance(tree, Unknown):
        return f"<{why}>"
    if isinstance(tree, Mapping):
        return {key: masked(value, why) for key, value in tree.items() if value is not None}
    if isinstance(tree, list | tuple):
        return [masked(value, why) for value in tree]
    return tree
