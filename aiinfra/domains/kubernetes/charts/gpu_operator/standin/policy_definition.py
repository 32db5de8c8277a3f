"""`clusterpolicies.nvidia.com` as NVIDIA/gpu-operator v26.7.0 serves it (api/nvidia/v1/clusterpolicy_types.go)."""

from __future__ import annotations

from aiinfra.domains.kubernetes.lab.schema import (
    BOOLEAN,
    CONDITIONS,
    ENV,
    IMAGE,
    INT_OR_STRING,
    INTEGER,
    LABELS,
    LONG,
    POD_SECURITY_CONTEXT,
    PROBE,
    RESOURCES,
    STRING,
    STRINGS,
    TOLERATION,
    Schema,
    array,
    crd,
    enum,
    flag,
    obj,
    strings,
)

REQUIRED = (
    "operator",
    "daemonsets",
    "driver",
    "toolkit",
    "devicePlugin",
    "dcgmExporter",
    "dcgm",
    "nodeStatusExporter",
    "gfd",
)
"""The keys that `spec` must have; `{}` is enough for each."""

_RUN = {"args": STRINGS, "env": ENV, "resources": RESOURCES, "hostNetwork": BOOLEAN, "enabled": BOOLEAN}
_MODULE = {"args": STRINGS, "env": ENV, "enabled": BOOLEAN} | IMAGE
_MANAGER = obj(IMAGE | {"env": ENV})
_VALIDATED = obj({"env": ENV})
_DURATION: Schema = STRING | {
    "pattern": r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"
}
_ACTIONS = [
    spelling
    for lower, mixed in (
        *(("replace", "Replace"), ("keep", "Keep"), ("drop", "Drop"), ("hashmod", "HashMod"), ("labelmap", "LabelMap")),
        *(("labeldrop", "LabelDrop"), ("labelkeep", "LabelKeep"), ("lowercase", "Lowercase")),
        *(("uppercase", "Uppercase"), ("keepequal", "KeepEqual"), ("dropequal", "DropEqual")),
    )
    for spelling in (lower, mixed)
]
_RELABELING = obj(
    {
        "action": enum(*_ACTIONS, default="replace"),
        "modulus": LONG | {"minimum": 0},
        "regex": STRING,
        "replacement": STRING,
        "separator": STRING,
        "sourceLabels": STRINGS,
        "targetLabel": STRING,
    }
)
SERVICE_MONITOR = obj(
    {
        "enabled": BOOLEAN,
        "interval": _DURATION,
        "scrapeTimeout": _DURATION,
        "honorLabels": BOOLEAN,
        "additionalLabels": LABELS,
        "relabelings": array(_RELABELING),
    }
)


def _count(default: int) -> Schema:
    return {"type": "integer", "minimum": 0, "default": default}


_EVICTION = {"force": flag(False), "timeoutSeconds": _count(300), "deleteEmptyDir": flag(False)}


def upgrade_policy(*, automatic: bool) -> Schema:
    return obj(
        {
            "autoUpgrade": flag(automatic),
            "maxParallelUpgrades": _count(1),
            "maxUnavailable": INT_OR_STRING | {"default": "25%"},
            "podDeletion": obj(_EVICTION),
            "drain": obj(_EVICTION | {"enable": flag(False), "podSelector": STRING}),
            "waitForCompletion": obj({"podSelector": STRING, "timeoutSeconds": _count(0)}),
        }
    )


def component(**more: Schema) -> Schema:
    """An operand: image, how it runs, and fields of its own."""
    return obj(_RUN | IMAGE | more)


_DRIVER = component(
    kernelModuleType=enum("auto", "open", "proprietary", default="auto"),
    usePrecompiled=BOOLEAN,
    useNvidiaDriverCRD=BOOLEAN,
    useOpenKernelModules=BOOLEAN,
    rdma=obj({"enabled": BOOLEAN, "useHostMofed": BOOLEAN}),
    licensingConfig=obj({"configMapName": STRING, "secretName": STRING, "nlsEnabled": BOOLEAN}),
    virtualTopology=strings("config"),
    kernelModuleConfig=strings("name"),
    repoConfig=strings("configMapName"),
    certConfig=strings("name"),
    secretEnv=STRING,
    manager=_MANAGER,
    startupProbe=PROBE,
    livenessProbe=PROBE,
    readinessProbe=PROBE,
    upgradePolicy=upgrade_policy(automatic=False),
)
_DAEMONSETS = obj(
    {
        "labels": LABELS,
        "annotations": LABELS,
        "tolerations": array(TOLERATION),
        "priorityClassName": STRING,
        "podSecurityContext": POD_SECURITY_CONTEXT,
        "updateStrategy": enum("RollingUpdate", "OnDelete", default="RollingUpdate"),
        "rollingUpdate": strings("maxUnavailable"),
    }
)
_DCGM_EXPORTER = component(
    annotations=LABELS,
    config=strings("name"),
    hostPID=BOOLEAN,
    enablePodLabels=BOOLEAN,
    enablePodUID=BOOLEAN,
    podLabelAllowlistRegex=STRINGS,
    hpcJobMapping=obj({"enabled": BOOLEAN, "directory": STRING}),
    service=strings("type", "internalTrafficPolicy"),
    serviceMonitor=SERVICE_MONITOR,
)
_OPERATOR = obj(
    {
        "runtimeClass": STRING | {"default": "nvidia"},
        "defaultRuntime": STRING,
        "use_ocp_driver_toolkit": BOOLEAN,
        "initContainer": obj(IMAGE),
        "labels": LABELS,
        "annotations": LABELS,
        "metrics": obj({"serviceMonitor": SERVICE_MONITOR}),
    }
)
_VALIDATOR = obj(
    (
        {key: schema for key, schema in _RUN.items() if key != "enabled"}
        | IMAGE
        | dict.fromkeys(("plugin", "toolkit", "driver", "cuda"), _VALIDATED)
    )
    | dict.fromkeys(("vfioPCI", "vgpuManager", "vgpuDevices"), _VALIDATED)
)
_ARTIFACTS: Schema = STRING | {"default": "/opt/nvidia-gpu-operator/artifacts/runtimeclasses"}
_KATA_CLASS = obj(
    {
        "name": STRING,
        "nodeSelector": LABELS,
        "artifacts": obj({"url": STRING, "pullSecret": STRING}, required=["url"]),
    },
    required=["artifacts", "name"],
)
_SANDBOX: dict[str, Schema] = {
    "sandboxWorkloads": obj(
        {
            "enabled": BOOLEAN,
            "defaultWorkload": enum("container", "vm-passthrough", "vm-vgpu", default="container"),
            "mode": enum("kubevirt", "kata", default="kubevirt"),
        }
    ),
    "sandboxDevicePlugin": component(),
    "kataSandboxDevicePlugin": component(),
    "vfioManager": component(driverManager=_MANAGER),
    "vgpuManager": component(driverManager=_MANAGER, kernelModuleConfig=strings("name")),
    "vgpuDeviceManager": component(config=obj({"name": STRING, "default": STRING | {"default": "default"}})),
    "ccManager": component(defaultMode=enum("on", "off", "devtools")),
    "kataManager": component(config=obj({"artifactsDir": _ARTIFACTS, "runtimeClasses": array(_KATA_CLASS)})),
}
SPEC = obj(
    {
        "operator": _OPERATOR,
        "daemonsets": _DAEMONSETS,
        "driver": _DRIVER,
        "toolkit": component(installDir=STRING | {"default": "/usr/local/nvidia"}),
        "devicePlugin": component(
            config=strings("name", "default"), mps=obj({"root": STRING | {"default": "/run/nvidia/mps"}})
        ),
        "dcgm": component(hostPort=INTEGER),
        "dcgmExporter": _DCGM_EXPORTER,
        "nodeStatusExporter": component(),
        "gfd": component(),
        "mig": obj({"strategy": enum("none", "single", "mixed")}),
        "migManager": component(
            config=obj({"name": STRING, "default": enum("all-disabled", "", default="all-disabled")}),
            gpuClientsConfig=strings("name"),
        ),
        "validator": _VALIDATOR,
        "cdi": obj({"enabled": flag(True), "default": flag(False), "nriPluginEnabled": flag(False)}),
        "gds": obj(_MODULE),
        "gdrcopy": obj(_MODULE),
        "hostPaths": obj(
            {
                "rootFS": STRING,
                "driverInstallDir": STRING,
                "kubeletRootDir": STRING | {"default": "/var/lib/kubelet"},
            }
        ),
        "psa": obj({"enabled": BOOLEAN}),
        "psp": obj({"enabled": BOOLEAN}),
    }
    | _SANDBOX,
    required=REQUIRED,
)
STATUS = obj(
    {"state": enum("ignored", "ready", "notReady"), "namespace": STRING, "conditions": CONDITIONS}, required=["state"]
)
CRD = crd(
    "nvidia.com",
    "v1",
    "ClusterPolicy",
    "clusterpolicies",
    spec=SPEC,
    status=STATUS,
    spec_required=False,
    columns=[("Status", "string", ".status.state"), ("Age", "string", ".metadata.creationTimestamp")],
)
