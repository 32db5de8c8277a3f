"""Resources that act in a vCenter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class GpuTemplate(pulumi.CustomResource):
    """One VM template with GPUs. A change of what is wanted makes a new one beside the old, which is deleted after."""

    name: pulumi.Output[str]
    """`<environment>-<stack>-<hash8>`; machine sets follow it."""
    path: pulumi.Output[str]
    moref: pulumi.Output[str]
    vcenter_uuid: pulumi.Output[str]
    """Identity of the vCenter; another one behind the same name is an error."""
    gpu_model: pulumi.Output[str]
    gpu_memory_mib: pulumi.Output[int]
    gpu_count: pulumi.Output[int]
    profile: pulumi.Output[str]
    spec: pulumi.Output[Mapping[str, Any]]
    """What was made of `wanted`: `aiinfra.domains.vsphere.template.desired.plain`."""
    settings: pulumi.Output[Mapping[str, Any]]
    """Every field as it was last read back; a hand edit shows as a difference of it."""
    explained: pulumi.Output[list[str]]
    """Why the profile, the MMIO size and the placement are what they are, one sentence each."""
    drift: pulumi.Output[list[str]]
    """What the last refresh found changed by hand, one sentence each."""
    verified: pulumi.Output[str]
    """What the power-on proof saw; empty when none was asked for."""

    def __init__(
        self,
        resource_name: str,
        *,
        connection: Mapping[str, Any],
        owner: Mapping[str, str],
        wanted: Mapping[str, Any],
        verify: str = "none",
        manage_hosts: bool = False,
        wait_for_host_mig: bool = False,
        limit_seconds: float = 1800,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        told = ("name", "path", "moref", "vcenter_uuid", "gpu_model", "gpu_memory_mib", "gpu_count", "profile")
        props = {
            "connection": {**connection, "password": pulumi.Output.secret(connection["password"])},
            "owner": dict(owner),
            "wanted": dict(wanted),
            "verify": verify,
            "manage_hosts": manage_hosts,
            "wait_for_host_mig": wait_for_host_mig,
            "limit_seconds": limit_seconds,
            **dict.fromkeys((*told, "spec", "settings", "explained", "verified", "drift")),
        }
        super().__init__("aiinfra:vsphere:GpuTemplate", resource_name, props, opts)
