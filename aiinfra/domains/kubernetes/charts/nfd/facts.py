"""The chart of Node Feature Discovery 0.19.0 (kubernetes-sigs/node-feature-discovery deployment/helm)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts, Reference
from aiinfra.domains.kubernetes.charts.trees import ANY_LIST, ANY_MAP, ENV, TEXT_LIST, TEXTS, Each, Open, tolerations

NAME = "node-feature-discovery"
VERSION = "0.19.0"
CONTROL_PLANE = {
    "key": "node-role.kubernetes.io/control-plane",
    "operator": "Equal",
    "value": "",
    "effect": "NoSchedule",
}
WORKER_CONFIG_KEY = "nfd-worker.conf"
MASTER_CONFIG_KEY = "nfd-master.conf"

_PULL_SECRETS = Each({"name": ""}, [])
_ACCOUNT = {"create": True, "annotations": TEXTS, "name": ""}
_POD: Mapping[str, Any] = {
    "enable": True,
    "extraArgs": TEXT_LIST,
    "extraEnvs": ENV,
    "hostNetwork": False,
    "dnsPolicy": "ClusterFirstWithHostNet",
    "podSecurityContext": ANY_MAP,
    "securityContext": ANY_MAP,
    "serviceAccount": _ACCOUNT,
    "rbac": {"create": True},
    "resources": ANY_MAP,
    "nodeSelector": TEXTS,
    "annotations": TEXTS,
    "affinity": ANY_MAP,
    "tolerations": tolerations(),
    "revisionHistoryLimit": 10,
    "hostUsers": None,
    "initContainers": ANY_LIST,
    "labels": TEXTS,
    "networkPolicy": {"enabled": False, "egress": ANY_LIST, "ingress": ANY_LIST},
}
_DISRUPTIONS: Mapping[str, Any] = {
    "enable": False,
    "minAvailable": 1,
    "maxUnavailable": None,
    "unhealthyPodEvictionPolicy": "AlwaysAllow",
}
_PROBES: Mapping[str, Any] = {"livenessProbe": ANY_MAP, "readinessProbe": ANY_MAP, "port": 8080}
VALUES: Mapping[str, Any] = {
    "image": {
        "repository": "registry.k8s.io/nfd/node-feature-discovery",
        "tag": f"v{VERSION}",
        "pullPolicy": "IfNotPresent",
    },
    "imagePullSecrets": _PULL_SECRETS,
    "global": {"imagePullSecrets": _PULL_SECRETS},
    "checksumValuesOnly": False,
    "nameOverride": "",
    "fullnameOverride": "",
    "namespaceOverride": "",
    "featureGates": {"NodeFeatureGroupAPI": False},
    "priorityClassName": "",
    "postDeleteCleanup": True,
    "master": {
        **_POD,
        **_PROBES,
        "config": ANY_MAP,
        "instance": "",
        "resyncPeriod": "",
        "denyLabelNs": ANY_LIST,
        "extraLabelNs": ANY_LIST,
        "enableTaints": False,
        "deploymentAnnotations": TEXTS,
        "replicaCount": 1,
        "nfdApiParallelism": None,
        "podDisruptionBudget": _DISRUPTIONS,
        "startupProbe": ANY_MAP,
        "tolerations": tolerations([CONTROL_PLANE]),
    },
    "worker": {
        **_POD,
        **_PROBES,
        "config": ANY_MAP,
        "daemonsetAnnotations": TEXTS,
        "ownerRefs": Open(["pod", "ds"]),
        "updateStrategy": Open({"rollingUpdate": {"maxUnavailable": "10%"}}),
        "mountUsrSrc": False,
        "priorityClassName": "",
    },
    "topologyUpdater": {
        **_POD,
        **_PROBES,
        "enable": False,
        "createCRDs": False,
        "config": ANY_MAP,
        "daemonsetAnnotations": TEXTS,
        "updateInterval": "60s",
        "watchNamespace": "*",
        "kubeletConfigPath": "",
        "kubeletPodResourcesSockPath": "",
        "kubeletStateDir": "/var/lib/kubelet",
        "podSetFingerprint": True,
    },
    "gc": {
        **{key: value for key, value in _POD.items() if key != "securityContext"},
        **_PROBES,
        "interval": "1h",
        "replicaCount": 1,
        "podDisruptionBudget": _DISRUPTIONS,
        "deploymentAnnotations": TEXTS,
    },
    "prometheus": {"enable": False, "labels": TEXTS, "scrapeInterval": "10s"},
}

CHART = ChartFacts(
    name=NAME,
    version=VERSION,
    app_version=f"v{VERSION}",
    references=(
        Reference(f"oci://registry.k8s.io/nfd/charts/{NAME}"),
        Reference(NAME, "https://kubernetes-sigs.github.io/node-feature-discovery/charts"),
    ),
    values=VALUES,
    crds=(
        "nodefeatures.nfd.k8s-sigs.io",
        "nodefeaturerules.nfd.k8s-sigs.io",
        "nodefeaturegroups.nfd.k8s-sigs.io",
    ),
    adds=(
        "CustomResourceDefinitions nodefeatures, nodefeaturerules and nodefeaturegroups of nfd.k8s-sigs.io",
        "ServiceAccounts, ClusterRoles, Roles and their bindings",
        "ConfigMaps with the configuration of master and worker",
        "Deployments of the master and the garbage collector",
        "the DaemonSet of the worker",
        "after deletion, a Job that takes the labels off the nodes",
    ),
    images={"image.repository": "registry.k8s.io/nfd/node-feature-discovery"},
    pull_secret_objects=("imagePullSecrets",),
)
