"""A Helm chart in a cluster, from its namespace to what it deploys being ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.charts.helm_values import ChartFacts
from aiinfra.domains.kubernetes.resources.objects import (
    Bundle,
    CustomResourceDefinitions,
    Object,
    Reachable,
    Ready,
    namespace_object,
)
from aiinfra.domains.kubernetes.resources.wants import Want
from aiinfra.stack import StackContext

PRIVILEGED: Final[Mapping[str, str]] = {"pod-security.kubernetes.io/enforce": "privileged"}
"""Label of a namespace whose pods mount the host; an admission default of another level would refuse them."""


HOOKS_LIMIT: Final = 3600
"""Seconds that Helm itself waits for a hook. The stack's limit ends it before (`aiinfra/engine/host/steps.go`); were it
given to Helm, a change of it would be a new revision of the release, hooks included."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The spec of one release of a chart."""

    version: str
    namespace: str
    """The namespace that is created for the release, which has the chart's name."""
    values: Mapping[str, Any]
    wants: Sequence[Want]
    """What must hold before it counts as ready; see `resources.wants`."""
    limit: float
    """Seconds that it may take to become ready."""
    limit_per_node: float = 0
    """Seconds more after a change for each further node, or group of nodes, that is upgraded after others."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the namespace, such as `PRIVILEGED`."""
    bundles: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    """By resource name, objects that are applied after the namespace and before the release."""
    definitions: Sequence[str] = ()
    """Names of CRDs that it brings in addition to those of the chart, such as those of subcharts."""
    remove_first: Sequence[Mapping[str, Any]] = ()
    """Objects that go first on delete, while the chart's controllers still act: custom resources with finalizers."""


def helm_chart(context: StackContext, cluster: Reachable, chart: ChartFacts, spec: Installation) -> Ready:
    """Declare namespace, definitions, release and the wait, each after what it needs.

    The release itself is not awaited: the `Ready` that is returned reports what holds it up, with the root cause.
    CRDs that were absent before are deleted after the release; those and the release's own objects are watched for
    drift.
    """
    provider = kubernetes.Provider("cluster", kubeconfig=cluster.kubeconfig)
    namespace = Bundle(context, "namespace", cluster=cluster, objects=[namespace_object(spec.namespace, spec.labels)])
    names = (*chart.crds, *spec.definitions)
    brought = CustomResourceDefinitions(context, "definitions", cluster=cluster, names=names)
    after = pulumi.ResourceOptions(depends_on=[namespace])
    bundles = [Bundle(context, n, cluster=cluster, objects=o, opts=after) for n, o in spec.bundles.items()]
    repository, _, name = chart.references[0].rpartition(" ")
    release = Release(
        chart.name,
        name=chart.name,
        chart=name,
        repository_opts=RepositoryOptsArgs(repo=repository) if repository else None,
        version=spec.version,
        namespace=spec.namespace,
        values=spec.values,
        skip_await=True,
        timeout=HOOKS_LIMIT,
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[namespace, brought, *bundles]),
    )
    return Ready(
        context,
        "ready",
        cluster=cluster,
        wants=spec.wants,
        limit_seconds=spec.limit,
        limit_per_node=spec.limit_per_node,
        remove_first=spec.remove_first,
        after=release.status.revision,
        definitions=brought.brought,
        release={"name": chart.name, "namespace": spec.namespace},
        opts=pulumi.ResourceOptions(depends_on=[release]),
    )
