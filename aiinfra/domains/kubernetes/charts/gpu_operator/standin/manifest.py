"""What the chart `gpu-operator` v26.7.0 makes (NVIDIA/gpu-operator deployments/gpu-operator).

Not made: the hooks that upgrade and clean up CRDs (CRDs are applied by every install and upgrade instead), Services
and monitors of metrics, PodDisruptionBudgets, GPUCluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART, NAME
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERATOR_DEPLOYMENT
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import driver_definition, policy_definition
from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy_manifest import cluster_policy, default_driver
from aiinfra.domains.kubernetes.charts.nfd.standin import manifest as nfd
from aiinfra.domains.kubernetes.lab.standins.charts.release import (
    KUBELET,
    HelmRelease,
    Manifest,
    Object,
    account,
    given,
    object_head,
    rule,
)

EVERY = ("*",)


def manifest(release: HelmRelease, values: Mapping[str, Any]) -> Manifest:
    """Return what the chart makes of a release. `values` have the chart's defaults filled in."""
    labels = {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/instance": release.name,
        "helm.sh/chart": f"{NAME}-{CHART.version}",
        "app.kubernetes.io/version": CHART.app_version,
    }
    objects = [
        *_account(release, labels),
        *_config_maps(release, values, labels),
        _deployment(release, values["operator"], labels),
    ]
    if values["clusterPolicy"]["deployCR"]:
        objects.append(cluster_policy(values, labels | {"app.kubernetes.io/component": NAME}))
    if (driver := default_driver(values)) is not None:
        objects.append(driver)
    own = Manifest(objects, (policy_definition.CRD, driver_definition.CRD))
    if not values["nfd"]["enabled"]:
        return own
    bundled = nfd.manifest(release, values["node-feature-discovery"])
    return Manifest([*own.objects, *bundled.objects], [*own.crds, *bundled.crds], bundled.after_delete)


def _account(release: HelmRelease, labels: Mapping[str, str]) -> list[Object]:
    cluster = (
        rule("nvidia.com", EVERY, EVERY),
        rule("", ("nodes", "namespaces", "pods", "events"), EVERY),
        rule("apps", ("controllerrevisions",), ("get", "list", "watch")),
        rule("node.k8s.io", ("runtimeclasses",), EVERY),
    )
    local = (
        rule("", ("configmaps", "secrets", "services", "serviceaccounts"), EVERY),
        rule("apps", ("daemonsets",), EVERY),
        rule("rbac.authorization.k8s.io", ("roles", "rolebindings"), EVERY),
    )
    return account(NAME, release.namespace, labels, cluster, local)


def _config_maps(release: HelmRelease, values: Mapping[str, Any], labels: Mapping[str, str]) -> list[Object]:
    configs = [values[component]["config"] for component in ("devicePlugin", "migManager", "dcgmExporter")]
    return [
        object_head("v1", "ConfigMap", config["name"], labels, release.namespace) | {"data": config["data"]}
        for config in configs
        if config["create"]
    ]


def _deployment(release: HelmRelease, operator: Mapping[str, Any], labels: Mapping[str, str]) -> Object:
    component = {"app.kubernetes.io/component": NAME, "app": NAME}
    container = {
        "name": NAME,
        "image": f"{operator['repository']}/{operator['image']}:{operator['version']}",
        "imagePullPolicy": operator["imagePullPolicy"],
        "command": ["gpu-operator"],
        "args": ["--leader-elect"],
        "env": [{"name": "OPERATOR_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        **given({"resources": operator["resources"]}),
    }
    pod = {
        "serviceAccountName": NAME,
        "containers": [container],
        **given(
            {
                "priorityClassName": operator["priorityClassName"],
                "tolerations": operator["tolerations"],
                "nodeSelector": operator["nodeSelector"],
                "affinity": operator["affinity"],
                "imagePullSecrets": [{"name": name} for name in operator["imagePullSecrets"]],
            }
        ),
    }
    template = {"metadata": {"labels": {**labels, **component}, "annotations": dict(KUBELET)}, "spec": pod}
    head = object_head("apps/v1", "Deployment", OPERATOR_DEPLOYMENT, {**labels, **component}, release.namespace)
    spec = {"replicas": 1, "selector": {"matchLabels": component}, "template": template}
    return head | {"spec": spec}
