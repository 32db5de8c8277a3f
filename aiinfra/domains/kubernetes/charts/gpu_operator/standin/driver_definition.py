"""`nvidiadrivers.nvidia.com` as NVIDIA/gpu-operator v26.7.0 serves it (api/nvidia/v1alpha1/nvidiadriver_types.go)."""

from __future__ import annotations

from typing import Any

from aiinfra.domains.kubernetes.charts.gpu_operator.standin.policy_definition import upgrade_policy
from aiinfra.domains.kubernetes.lab.schema import (
    BOOLEAN,
    CONDITIONS,
    ENV,
    IMAGE,
    INTEGER,
    LABELS,
    POD_SECURITY_CONTEXT,
    PROBE,
    RESOURCES,
    STRING,
    STRINGS,
    TOLERATION,
    Schema,
    array,
    atomic,
    crd,
    enum,
    flag,
    obj,
    strings,
)


def _immutable(field: str) -> dict[str, Any]:
    text = f"{field} is an immutable field. Please create a new NvidiaDriver resource instead"
    return {
        "x-kubernetes-validations": [
            {"rule": "self == oldSelf", "message": f"{text} when you want to change this setting."}
        ]
    }


_EXPRESSION = obj(
    {"key": STRING, "operator": STRING, "values": atomic(STRINGS)},
    required=["key", "operator"],
)
_EXPRESSIONS = atomic(array(_EXPRESSION))
_TERM = atomic(obj({"matchExpressions": _EXPRESSIONS, "matchFields": _EXPRESSIONS}))
_PREFERENCE = obj({"weight": INTEGER, "preference": _TERM}, required=["weight", "preference"])
_NODE_AFFINITY = obj(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": atomic(
            obj({"nodeSelectorTerms": atomic(array(_TERM))}, required=["nodeSelectorTerms"])
        ),
        "preferredDuringSchedulingIgnoredDuringExecution": atomic(array(_PREFERENCE)),
    }
)
_MODULE = obj({"args": STRINGS, "env": ENV, "enabled": BOOLEAN} | IMAGE)
_PLACEMENT: dict[str, Schema] = {
    "nodeSelector": LABELS,
    "nodeAffinity": _NODE_AFFINITY,
    "tolerations": array(TOLERATION),
    "priorityClassName": STRING,
    "podSecurityContext": POD_SECURITY_CONTEXT,
    "labels": LABELS,
    "annotations": LABELS,
    "hostNetwork": BOOLEAN,
}
_IMAGE: dict[str, Schema] = {
    "repository": STRING,
    "image": STRING | {"default": "nvcr.io/nvidia/driver"},
    "version": STRING,
    "imagePullPolicy": STRING,
    "imagePullSecrets": STRINGS,
}
SPEC = obj(
    {
        "default": flag(False),
        "driverType": enum("gpu", "vgpu", "vgpu-host-manager", default="gpu") | _immutable("driverType"),
        "usePrecompiled": BOOLEAN | _immutable("usePrecompiled"),
        "useOpenKernelModules": BOOLEAN,
        "kernelModuleType": enum("auto", "open", "proprietary", default="auto"),
        "args": STRINGS,
        "env": ENV,
        "resources": RESOURCES,
        "secretEnv": STRING,
        "certConfig": strings("name"),
        "repoConfig": strings("name"),
        "kernelModuleConfig": strings("name"),
        "virtualTopologyConfig": strings("name"),
        "licensingConfig": obj({"name": STRING, "secretName": STRING, "nlsEnabled": BOOLEAN}),
        "rdma": obj({"enabled": BOOLEAN, "useHostMofed": BOOLEAN}),
        "gds": _MODULE,
        "gdrcopy": _MODULE,
        "manager": obj(IMAGE | {"env": ENV}),
        "startupProbe": PROBE,
        "livenessProbe": PROBE,
        "readinessProbe": PROBE,
        "upgradePolicy": upgrade_policy(automatic=True),
    }
    | _IMAGE
    | _PLACEMENT,
    required=["default", "driverType", "image"],
    **{
        "x-kubernetes-validations": [
            {
                "rule": "has(self.default) && self.default"
                " ? !has(self.nodeSelector) || size(self.nodeSelector) == 0 : true",
                "message": "default NVIDIADriver must not use nodeSelector",
            }
        ]
    },
)
STATUS = obj(
    {
        "state": enum("ignored", "ready", "notReady", "disabled"),
        "namespace": STRING,
        "conditions": CONDITIONS,
    },
    required=["state"],
)
CRD = crd(
    "nvidia.com",
    "v1alpha1",
    "NVIDIADriver",
    "nvidiadrivers",
    spec=SPEC,
    status=STATUS,
    spec_required=False,
    short_names=("nvd", "nvdriver", "nvdrivers"),
    columns=[
        ("Status", "string", ".status.state"),
        ("Default", "boolean", ".spec.default"),
        ("Age", "string", ".metadata.creationTimestamp"),
    ],
)
