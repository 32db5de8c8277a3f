"""A Helm chart in a cluster, from its namespace to what it deploys being ready."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Protocol

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs

from aiinfra.dataclass import dataclass
from aiinfra.disk import content_digest
from aiinfra.domains.kubernetes.charts.block import ChartSources
from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.charts.images import SECRET_NAME
from aiinfra.domains.kubernetes.charts.sources import ChartSource, TakesChart, chart_source
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


class ChartInputs(TakesChart, Protocol):
    """The inputs of a kind that installs a chart in a cluster."""

    @property
    def cluster(self) -> Reachable: ...


def helm_chart(context: StackContext, inputs: ChartInputs, chart: ChartFacts, spec: Installation) -> Ready:
    """Declare namespace, definitions, release and the wait, each after what it needs. Values are all in `spec`.

    The release itself is not awaited: the `Ready` that is returned reports what holds it up, with the root cause.
    CRDs that were absent before are deleted after the release; those and the release's own objects are watched for
    drift.
    """
    cluster, source = inputs.cluster, chart_source(chart, inputs, context.base)
    provider = kubernetes.Provider("cluster", kubeconfig=cluster.kubeconfig)
    namespace = Bundle(context, "namespace", cluster=cluster, objects=[namespace_object(spec.namespace, spec.labels)])
    names = (*chart.crds, *spec.definitions)
    brought = CustomResourceDefinitions(context, "definitions", cluster=cluster, names=names)
    after = pulumi.ResourceOptions(depends_on=[namespace])
    bundled = {**_pull_secret(inputs.charts, spec.namespace), **spec.bundles}
    bundles = [Bundle(context, n, cluster=cluster, objects=o, opts=after) for n, o in bundled.items()]
    release = Release(
        chart.name,
        name=chart.name,
        chart=source.chart,
        description=_description(source),
        repository_opts=_repository(source),
        version=inputs.version,
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


def _repository(source: ChartSource) -> RepositoryOptsArgs | None:
    if not (source.repository or source.credentials or source.ca):
        return None
    account = source.credentials
    return RepositoryOptsArgs(
        repo=source.repository or None,
        username=account.user if account else None,
        password=pulumi.Output.secret(account.password) if account else None,
        ca_file=source.ca or None,
    )


def _description(source: ChartSource) -> str | None:
    """What Helm's history says of a revision whose chart is here: its digest, so that another chart is another one."""
    path = source.local
    return f"chart {path.name}, sha256:{content_digest(path)}" if path is not None else None


def _pull_secret(charts: ChartSources | None, namespace: str) -> Mapping[str, Sequence[Object]]:
    """Return the bundle with the Secret by which nodes pull from the registry of the file; none without an account."""
    images = charts.images if charts else None
    if images is None or images.credentials is None:
        return {}
    account, host = images.credentials, images.registry.partition("/")[0]
    both = pulumi.Output.all(account.user, account.password)
    login: pulumi.Output[str] = both.apply(lambda given: _docker_config(host, *given))
    made = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME, "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": pulumi.Output.secret(login)},  # type: ignore[arg-type]  # it takes outputs
    }
    return {"registry": [made]}


def _docker_config(host: str, user: str, password: str) -> str:
    """The value of a Secret of that type (Kubernetes docs, "Pull an Image from a Private Registry")."""
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    entry = {"username": user, "password": password, "auth": auth}
    return base64.b64encode(json.dumps({"auths": {host: entry}}).encode()).decode()
