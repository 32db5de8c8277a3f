"""`gpuclusters.nvidia.com` as NVIDIA/gpu-operator v26.7.0 serves it (api/nvidia/v1alpha1/gpucluster_types.go).

It comes with the chart's `crds/` whether it is used or not. The lab has no controller for it.
"""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy_definition import SERVICE_MONITOR
from aiinfra.domains.kubernetes.lab.schema import (
    BOOLEAN,
    CONDITIONS,
    ENV,
    IMAGE,
    INTEGER,
    LABELS,
    POD_SECURITY_CONTEXT,
    RESOURCES,
    STRING,
    STRINGS,
    TOLERATION,
    array,
    crd,
    enum,
    flag,
    mapping,
    obj,
    strings,
)

SINGLETON = "gpu-cluster"
"""The one name that an object may have."""
_CONTAINER = {"env": ENV, "resources": RESOURCES}
_KUBELET_PLUGIN = obj(_CONTAINER | {"healthcheck": obj({"enabled": BOOLEAN, "port": INTEGER})})
_RUN = {"args": STRINGS, "env": ENV, "resources": RESOURCES, "hostNetwork": BOOLEAN, "enabled": BOOLEAN}
SPEC = obj(
    {
        "daemonsets": obj(
            {
                "annotations": LABELS,
                "labels": LABELS,
                "podSecurityContext": POD_SECURITY_CONTEXT,
                "priorityClassName": STRING,
                "rollingUpdate": strings("maxUnavailable"),
                "tolerations": array(TOLERATION),
                "updateStrategy": enum("RollingUpdate", "OnDelete", default="RollingUpdate"),
            }
        ),
        "dcgm": obj(_RUN | IMAGE | {"hostPort": INTEGER}),
        "dcgmExporter": obj(
            _RUN
            | IMAGE
            | {
                "annotations": LABELS,
                "config": strings("name"),
                "enablePodLabels": BOOLEAN,
                "enablePodUID": BOOLEAN,
                "hostPID": BOOLEAN,
                "hpcJobMapping": obj({"directory": STRING, "enabled": BOOLEAN}),
                "podLabelAllowlistRegex": STRINGS,
                "service": strings("internalTrafficPolicy", "type"),
                "serviceMonitor": SERVICE_MONITOR,
            }
        ),
        "draDriver": obj(
            IMAGE
            | {
                "featureGates": mapping(BOOLEAN),
                "gpus": obj({"kubeletPlugin": _KUBELET_PLUGIN}),
                "computeDomains": obj(
                    {"enabled": flag(True), "controller": obj(_CONTAINER), "kubeletPlugin": _KUBELET_PLUGIN}
                ),
            }
        ),
        "hostPaths": obj({"driverInstallDir": STRING, "kubeletRootDir": STRING | {"default": "/var/lib/kubelet"}}),
    },
    required=["draDriver"],
)
STATUS = obj(
    {"state": enum("ready", "notReady", "disabled"), "namespace": STRING, "conditions": CONDITIONS}, required=["state"]
)
CRD = crd(
    "nvidia.com",
    "v1alpha1",
    "GPUCluster",
    "gpuclusters",
    spec=SPEC,
    status=STATUS,
    spec_required=False,
    short_names=("gc",),
    columns=[("Status", "string", ".status.state"), ("Age", "date", ".metadata.creationTimestamp")],
    rules=[(f"self.metadata.name == '{SINGLETON}'", f"GPUCluster is a singleton, metadata.name must be '{SINGLETON}'")],
)
