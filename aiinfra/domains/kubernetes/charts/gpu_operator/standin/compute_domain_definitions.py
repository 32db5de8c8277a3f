"""The CRDs of `resource.nvidia.com/v1beta1` in the chart's `crds/` (NVIDIA/gpu-operator v26.7.0 deployments).

NVIDIA's DRA driver works by them, which a GPUCluster deploys. The lab has no controller for them.
"""

from __future__ import annotations

from aiinfra.domains.kubernetes.lab.schema import INTEGER, STRING, array, crd, enum, obj, strings

_READY = enum("Ready", "NotReady", default="NotReady")
_DAEMON = {"cliqueID": STRING, "index": INTEGER, "ipAddress": STRING, "status": _READY}


def _by(key: str) -> dict[str, object]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


DOMAIN = crd(
    "resource.nvidia.com",
    "v1beta1",
    "ComputeDomain",
    "computedomains",
    spec=obj(
        {
            "numNodes": INTEGER,
            "channel": obj(
                {
                    "allocationMode": enum("All", "Single", default="Single"),
                    "resourceClaimTemplate": strings("name") | {"required": ["name"]},
                },
                required=["resourceClaimTemplate"],
            ),
        },
        required=["channel", "numNodes"],
        **{
            "x-kubernetes-validations": [
                {"rule": "self == oldSelf", "message": "A computeDomain.spec is immutable"},
            ]
        },
    ),
    status=obj(
        {
            "status": _READY,
            "nodes": array(obj(_DAEMON | {"name": STRING}, required=["cliqueID", "name"])) | _by("name"),
        },
        required=["status"],
    ),
    scope="Namespaced",
    spec_required=False,
)
CLIQUE = crd(
    "resource.nvidia.com",
    "v1beta1",
    "ComputeDomainClique",
    "computedomaincliques",
    fields={
        "daemons": array(obj(_DAEMON | {"nodeName": STRING}, required=["cliqueID", "ipAddress", "nodeName"]))
        | _by("nodeName")
    },
    scope="Namespaced",
)
