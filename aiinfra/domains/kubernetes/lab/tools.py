"""The servers of a simulated cluster, the real operators and Helm's engine, and how they are obtained. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aiinfra.toolchain.table import Download, GoModule, Platform, Tool

KUBERNETES = "1.36.3"
ETCD = "3.6.16"
KWOK = "0.8.0"
HELM = "3.22.0"

_KUBE = "k8s.io/component-base/version"
_KUBE_SET = f"-X {_KUBE}.gitVersion=v{KUBERNETES} -X {_KUBE}.gitMajor=1 -X {_KUBE}.gitMinor=36"
_KUBE_TREE = f"-X {_KUBE}.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=v{KUBERNETES}"
_KWOK_SET = f"-X sigs.k8s.io/kwok/pkg/consts.Version=v{KWOK}"

SERVERS = GoModule(
    "lab-servers",
    Path(__file__).resolve().parent / "servers",
    ("-ldflags", f"-s -w {_KUBE_SET} {_KUBE_TREE} {_KWOK_SET}"),
    disk="6 GB",
)

OPERATORS = GoModule("lab-operators", Path(__file__).resolve().parent / "operators", ("-ldflags", "-s -w"), disk="3 GB")
GPU_OPERATOR = "25.3.4"
"""The newest real GPU Operator whose module can be had from the Go module proxy: the pseudo-version in
`operators/go.mod` is the commit of this tag (git describe in NVIDIA/gpu-operator)."""

HELM_ENGINE = GoModule(
    "helm-engine",
    Path(__file__).resolve().parent.parent / "charts" / "helm",
    ("-ldflags", "-s -w"),
    disk="2 GB",
)

_KWOK_URL = f"https://github.com/kubernetes-sigs/kwok/releases/download/v{KWOK}/kwok-"
_KWOK_RELEASES = {
    Platform("linux", "amd64"): Download(
        f"{_KWOK_URL}linux-amd64", "f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46"
    ),
}

TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool("etcd", ETCD, SERVERS, "go.etcd.io/etcd/server/v3", built_as="server"),
            Tool("kube-apiserver", KUBERNETES, SERVERS, "k8s.io/kubernetes/cmd/kube-apiserver"),
            Tool("kube-controller-manager", KUBERNETES, SERVERS, "k8s.io/kubernetes/cmd/kube-controller-manager"),
            Tool("kube-scheduler", KUBERNETES, SERVERS, "k8s.io/kubernetes/cmd/kube-scheduler"),
            Tool("kwok", KWOK, SERVERS, "sigs.k8s.io/kwok/cmd/kwok", releases=_KWOK_RELEASES),
            Tool("aiinfra-helm", HELM, HELM_ENGINE, ".", built_as="aiinfra-helm"),
            Tool(
                "nvidia-gpu-operator",
                GPU_OPERATOR,
                OPERATORS,
                "github.com/NVIDIA/gpu-operator/cmd/gpu-operator",
                on_demand=True,
            ),
        )
    }
)
