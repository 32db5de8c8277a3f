"""Reading the properties of a resource: required keys by type, the kubeconfig kept secret, changes by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.domains.kubernetes.provider.clusters import other_cluster
from aiinfra.engine.wire import Secret, Tree, Unknown, reveal
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import CheckFailure, Diff, Properties

Kind = type | tuple[type, ...]

MOVED_HINT = "nothing moves between clusters: give the stack in the new cluster another name"
TYPE_NAMES: Mapping[Kind, str] = {
    str: "text",
    list: "a list",
    dict: "a map",
    (int, float): "a number",
    int: "a whole number",
}


def check(inputs: Properties, shape: Mapping[str, Kind]) -> tuple[Properties, Sequence[CheckFailure]]:
    """Each key of `shape` must be there with its type, or unknown; the kubeconfig comes back as a secret."""
    failures = [failure for key, kind in shape.items() if (failure := _failure(inputs, key, kind))]
    return with_secret_kubeconfig(inputs), failures


def with_secret_kubeconfig(properties: Properties) -> Properties:
    kubeconfig = properties.get("kubeconfig")
    if kubeconfig is None or isinstance(kubeconfig, Secret):
        return properties
    return {**properties, "kubeconfig": Secret(kubeconfig)}


def value(properties: Properties, key: str) -> Any:
    """The plain value; secrets opened. Raises `ValueError` when a part is not known."""
    return reveal(properties.get(key))


def differs(old_inputs: Properties, news: Properties) -> Diff:
    """Every change is an update; a change of the cluster's uid is refused, as nothing moves between clusters."""
    old, new = _bare(old_inputs.get("uid")), _bare(news.get("uid"))
    if isinstance(old, str) and isinstance(new, str) and old != new:
        raise other_cluster("the cluster of this stack", expected=old, found=new, hint=MOVED_HINT)
    return Diff(changed_paths(old_inputs, news))


def _failure(inputs: Properties, key: str, kind: Kind) -> CheckFailure | None:
    given = _bare(inputs.get(key))
    if isinstance(given, Unknown) or (isinstance(given, kind) and not isinstance(given, bool)):
        return None
    return CheckFailure(key, f"must be {TYPE_NAMES[kind]}" if given is not None else "is required")


def _bare(tree: Tree) -> Tree:
    return tree.value if isinstance(tree, Secret) else tree
