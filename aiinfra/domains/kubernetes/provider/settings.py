"""The properties that resources in a cluster share: a kubeconfig, which is a secret, and the cluster's uid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiinfra.domains.kubernetes.provider.clusters import other_cluster_error
from aiinfra.providers import settings
from aiinfra.providers.compare import changed_paths
from aiinfra.providers.contract import CheckFailure, Diff, Properties
from aiinfra.providers.settings import Kind, value

__all__ = ["Kind", "check", "diff_inputs", "value"]

LIMITS = frozenset({"limit_seconds", "limit_per_node"})
MOVED_HINT = "nothing moves between clusters: give the stack in the new cluster another name"


def check(inputs: Properties, shape: Mapping[str, Kind]) -> tuple[Properties, Sequence[CheckFailure]]:
    """Check that each key of `shape` is there with its type, or unknown; the kubeconfig is returned as a secret."""
    return settings.check(inputs, shape, secret=("kubeconfig",))


def diff_inputs(old_inputs: Properties, news: Properties) -> Diff:
    """Return the changes, all updates; another limit alone is none, as nothing in the cluster depends on it.

    Raises `StepError` for another cluster uid: nothing moves between clusters.
    """
    old, new = settings.bare(old_inputs.get("uid")), settings.bare(news.get("uid"))
    if isinstance(old, str) and isinstance(new, str) and old != new:
        raise other_cluster_error("the cluster of this stack", expected=old, found=new, hint=MOVED_HINT)
    return Diff([path for path in changed_paths(old_inputs, news) if path not in LIMITS])
