"""Resources that act in a Kubernetes cluster. Each checks the cluster's uid before it touches anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi

from aiinfra.stack import StackContext

Object = Mapping[str, Any]
"""A Kubernetes object; any part of it may be an Output."""


class Cluster(pulumi.CustomResource):
    """The identity of an existing cluster. Creates and deletes nothing; another cluster behind the name is an error."""

    uid: pulumi.Output[str]
    version: pulumi.Output[str]
    server: pulumi.Output[str]

    def __init__(self, name: str, *, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        asked = {"uid": None, "version": None, "server": None}
        props = {"kubeconfig": pulumi.Output.secret(kubeconfig), **asked}
        super().__init__("aiinfra:kubernetes:Cluster", name, props, opts)


class Reachable(Protocol):
    """A cluster that resources act in, such as the `ClusterAccess` that a stack gets as `${cluster}`."""

    @property
    def kubeconfig(self) -> pulumi.Input[str]: ...
    @property
    def uid(self) -> pulumi.Input[str]: ...


class InCluster(pulumi.CustomResource):
    """A resource that acts in one cluster, identified by its uid, and marks its objects with the stack of `context`."""

    def __init__(
        self,
        token: str,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        props: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        access = {"kubeconfig": pulumi.Output.secret(cluster.kubeconfig), "uid": cluster.uid}
        super().__init__(token, name, {**access, "labels": context.labels(), **props}, opts)


class Bundle(InCluster):
    """Many objects as one resource, applied in the order that their kinds need.

    Each carries the marks of its environment and stack from the creating call on. When an object of another owner has
    the name of one of them, the bundle is refused and nothing is touched.
    """

    objects: pulumi.Output[Sequence[Any]]
    uids: pulumi.Output[Mapping[str, str]]
    """uid by `Kind namespace/name`."""

    def __init__(
        self,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        objects: pulumi.Input[Sequence[pulumi.Input[Object]]],
        limit_seconds: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"objects": objects, "limit_seconds": limit_seconds, "uids": None}
        super().__init__("aiinfra:kubernetes:Bundle", context, name, cluster=cluster, props=props, opts=opts)


def namespace_object(name: str, labels: Mapping[str, str]) -> Object:
    """Return a Namespace for a `Bundle`, which refuses one of another owner: deleting it would delete its content."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


class Ready(InCluster):
    """Done when every want of `wants` (see `resources.wants`) holds; fails with the root cause.

    `after` is any value whose change makes it wait again.

    On delete, the objects of `remove_first` are deleted and awaited first, with everything they own.
    `definitions` are names of CRDs that get our marks: those that the stack brought, as a chart does not mark them.
    `release` is a Helm release's name and namespace: its objects are watched, and changes by hand are reverted.
    `limit_per_node` are seconds that a change may take for each further node, or group of nodes, that is upgraded
    after others.
    """

    drift: pulumi.Output[Sequence[str]]
    """Changes by hand that a refresh found, one sentence for each field; empty after an update."""
    facts: pulumi.Output[Sequence[str]]
    """One sentence for each want, saying how it holds."""
    generations: pulumi.Output[Mapping[str, str]]
    """The specs that were awaited, as `uid/generation` by object."""

    def __init__(
        self,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        wants: Sequence[Mapping[str, Any]],
        limit_seconds: pulumi.Input[float] = 600,
        limit_per_node: pulumi.Input[float] = 0,
        remove_first: Sequence[Mapping[str, Any]] = (),
        after: Any = None,
        definitions: pulumi.Input[Sequence[str]] = (),
        release: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "wants": list(wants),
            "limit_seconds": limit_seconds,
            "limit_per_node": limit_per_node,
            "remove_first": list(remove_first),
            "after": after,
            "definitions": definitions,
            "release": dict(release or {}),
            "drift": [],
            "facts": None,
            "generations": None,
        }
        super().__init__("aiinfra:kubernetes:Ready", context, name, cluster=cluster, props=props, opts=opts)


class CustomResourceDefinitions(InCluster):
    """Records which of `names` (`clusterpolicies.nvidia.com`) were absent, and deletes those on destroy.

    Declare it before the Helm release that brings them, so that it is deleted after the release.
    """

    brought: pulumi.Output[Sequence[str]]
    """The names that were absent when the stack was created."""

    def __init__(
        self,
        context: StackContext,
        name: str,
        *,
        cluster: Reachable,
        names: Sequence[str],
        limit_seconds: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"names": list(names), "limit_seconds": limit_seconds, "brought": None}
        super().__init__(
            "aiinfra:kubernetes:CustomResourceDefinitions", context, name, cluster=cluster, props=props, opts=opts
        )
