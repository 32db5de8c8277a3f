"""What the chart `gpu-operator` v26.7.0 makes (NVIDIA/gpu-operator deployments/gpu-operator).

Not made: the hook that upgrades CRDs and, with `operator.cleanupCRD`, the one that deletes them (CRDs are applied by
every install and upgrade instead), Services and monitors of metrics, PodDisruptionBudgets, GPUCluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART, NAME
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import OPERATOR_DEPLOYMENT
from aiinfra.domains.kubernetes.charts.gpu_operator.standin import (
    cluster_definition,
    compute_domain_definitions,
    driver_definition,
    policy_definition,
)
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
DEFINITIONS = (
    policy_definition.CRD,
    driver_definition.CRD,
    cluster_definition.CRD,
    compute_domain_definitions.DOMAIN,
    compute_domain_definitions.CLIQUE,
)
"""The definitions in the `crds/` folder of the chart."""


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
    cleanup = [_cleanup(release, values["operator"], labels)]
    own = Manifest(objects, DEFINITIONS, before_delete=cleanup)
    if not values["nfd"]["enabled"]:
        return own
    bundled = nfd.manifest(release, values["node-feature-discovery"])
    return Manifest([*own.objects, *bundled.objects], [*own.crds, *bundled.crds], bundled.after_delete, cleanup)


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


def _cleanup(release: HelmRelease, operator: Mapping[str, Any], labels: Mapping[str, str]) -> Object:
    """The hook that every uninstall begins with: it removes the chart's GPUCluster while the operator is at work.

    templates/cleanup_gpucluster.yaml; here it has nothing to remove. Its pod needs a node and the operator's image.
    """
    marked = {**labels, "app.kubernetes.io/component": NAME}
    container = {
        "name": "cleanup-gpucluster",
        "image": _image(operator),
        "imagePullPolicy": operator["imagePullPolicy"],
        "command": ["/usr/bin/cleanup-gpuclusters", "--gpucluster-name", cluster_definition.SINGLETON],
    }
    pod = {
        "serviceAccountName": NAME,
        "restartPolicy": "OnFailure",
        "containers": [container],
        **given(
            {
                "tolerations": operator["tolerations"],
                "nodeSelector": operator["nodeSelector"],
                "imagePullSecrets": [{"name": name} for name in operator["imagePullSecrets"]],
            }
        ),
    }
    template = {"metadata": {"labels": marked, "annotations": dict(KUBELET)}, "spec": pod}
    head = object_head("batch/v1", "Job", f"{NAME}-cleanup-gpucluster", marked, release.namespace)
    return head | {"spec": {"template": template}}


def _image(operator: Mapping[str, Any]) -> str:
    return f"{operator['repository']}/{operator['image']}:{operator['version']}"


def _deployment(release: HelmRelease, operator: Mapping[str, Any], labels: Mapping[str, str]) -> Object:
    component = {"app.kubernetes.io/component": NAME, "app": NAME}
    container = {
        "name": NAME,
        "image": _image(operator),
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
