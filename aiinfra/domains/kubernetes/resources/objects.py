"""Resources that act in a Kubernetes cluster. Each checks the cluster's uid before it touches anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

Object = Mapping[str, Any]
"""A Kubernetes object; any part of it may be an Output."""


class Cluster(pulumi.CustomResource):
    """Who an existing cluster is. Makes and deletes nothing; another cluster behind the name is an error."""

    uid: pulumi.Output[str]
    version: pulumi.Output[str]
    server: pulumi.Output[str]

    def __init__(self, name: str, *, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        asked = {"uid": None, "version": None, "server": None}
        props = {"kubeconfig": pulumi.Output.secret(kubeconfig), **asked}
        super().__init__("aiinfra:kubernetes:Cluster", name, props, opts)


class Bundle(pulumi.CustomResource):
    """Many objects as one resource, applied in the order that their kinds need.

    `labels` are put on every object by the creating call: the marks of `StackContext.labels()`.
    """

    objects: pulumi.Output[Sequence[Any]]
    uids: pulumi.Output[Mapping[str, str]]
    """uid by `Kind namespace/name`."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        uid: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[Object]]],
        labels: Mapping[str, str] | None = None,
        limit_seconds: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "uid": uid,
            "objects": objects,
            "labels": labels or {},
            "limit_seconds": limit_seconds,
            "uids": None,
        }
        super().__init__("aiinfra:kubernetes:Bundle", name, props, opts)


def namespace_object(name: str, labels: Mapping[str, str]) -> Object:
    """A Namespace for a `Bundle`: one of somebody else is refused, as deleting it would take what is in it."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


class Ready(pulumi.CustomResource):
    """Done when every want of `wants` (see `resources.wants`) holds; fails with the root cause.

    `after` is any value whose change makes it wait again.

    On delete, the objects of `remove_first` are deleted and awaited first, with everything they own.
    `definitions` are names of CRDs that get `labels`: those that the stack brought, as a chart does not mark them.
    `release`, a Helm release's name and namespace: its objects are watched, and what was changed by hand is put back.
    """

    drift: pulumi.Output[Sequence[str]]
    """What a refresh found changed by hand, one sentence for each field; empty after an update."""
    facts: pulumi.Output[Sequence[str]]
    """One sentence for each want, as it was seen to hold."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        uid: pulumi.Input[str],
        wants: Sequence[Mapping[str, Any]],
        limit_seconds: pulumi.Input[float] = 600,
        remove_first: Sequence[Mapping[str, Any]] = (),
        after: Any = None,
        definitions: pulumi.Input[Sequence[str]] = (),
        labels: Mapping[str, str] | None = None,
        release: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "uid": uid,
            "wants": list(wants),
            "limit_seconds": limit_seconds,
            "remove_first": list(remove_first),
            "after": after,
            "definitions": definitions,
            "labels": dict(labels or {}),
            "release": dict(release or {}),
            "drift": [],
            "facts": None,
        }
        super().__init__("aiinfra:kubernetes:Ready", name, props, opts)


class CustomResourceDefinitions(pulumi.CustomResource):
    """Remembers which of `names` (`clusterpolicies.nvidia.com`) were absent, and deletes those at the end.

    Declare it before the Helm release that brings them, so that it is deleted after the release.
    """

    brought: pulumi.Output[Sequence[str]]
    """Those that were absent when the stack was made."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        uid: pulumi.Input[str],
        names: Sequence[str],
        limit_seconds: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "uid": uid,
            "names": list(names),
            "limit_seconds": limit_seconds,
            "brought": None,
        }
        super().__init__("aiinfra:kubernetes:CustomResourceDefinitions", name, props, opts)
