"""How the operator gets into the cluster: by Helm; another way is another case of `match`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import pulumi
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs

from aiinfra.domains.kubernetes.facts.gpu_operator import CHART_REPOSITORY, HELM_POLICY_NAME
from aiinfra.domains.kubernetes.facts.gpu_operator_chart import CHART, NAME
from aiinfra.domains.kubernetes.facts.nfd_chart import CHART as NFD_CHART

How = Literal["helm"]


@dataclass(frozen=True, slots=True)
class Installed:
    """The operator as a way of installing left it."""

    resource: pulumi.Resource
    revision: pulumi.Input[Any]
    """Changes whenever something was installed anew: what is ready must be seen to be ready again."""
    release: Mapping[str, str]
    """Name and namespace of the Helm release whose objects are kept as its chart made them; empty without one."""


def policy_name(how: How) -> str:
    """Name of the ClusterPolicy that this way of installing brings."""
    match how:
        case "helm":
            return HELM_POLICY_NAME
        case other:
            assert_never(other)


def definitions(how: How, *, bundled_nfd: bool) -> Sequence[str]:
    """CustomResourceDefinitions that it brings and never removes itself."""
    match how:
        case "helm":
            return (*CHART.crds, *(NFD_CHART.crds if bundled_nfd else ()))
        case other:
            assert_never(other)


def install(
    how: How,
    *,
    version: str,
    namespace: str,
    values: Mapping[str, Any],
    limit: int,
    opts: pulumi.ResourceOptions,
) -> Installed:
    """The operator itself. Not awaited: what holds it up is told by `Ready`, which comes after."""
    match how:
        case "helm":
            release = Release(
                NAME,
                name=NAME,
                chart=NAME,
                repository_opts=RepositoryOptsArgs(repo=CHART_REPOSITORY),
                version=version,
                namespace=namespace,
                values=values,
                skip_await=True,
                timeout=limit,
                opts=opts,
            )
            return Installed(release, release.status.revision, {"name": NAME, "namespace": namespace})
        case other:
            assert_never(other)
