"""Resources that act in a vCenter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi

from aiinfra.domains.vsphere.block import VCenterSpec
from aiinfra.domains.vsphere.marks import Owner
from aiinfra.domains.vsphere.spec import GpuTemplateSpec


class GpuTemplate(pulumi.CustomResource):
    """One VM template with GPUs. A change of what it is makes a new one beside the old, which is deleted after."""

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
    content: pulumi.Output[Mapping[str, Any]]
    """What the spec was resolved to: `aiinfra.domains.vsphere.template.content.tree_of`."""
    settings: pulumi.Output[Mapping[str, Any]]
    """Every field as it was last read back; a hand edit shows as a difference of it."""
    explained: pulumi.Output[list[str]]
    """Why this profile, MMIO size and placement were chosen, one sentence each."""
    drift: pulumi.Output[list[str]]
    """What the last refresh found changed by hand, one sentence each."""
    verified: pulumi.Output[str]
    """What the power-on proof saw; empty when none was asked for."""

    def __init__(
        self,
        resource_name: str,
        *,
        vcenter: VCenterSpec,
        owner: Owner,
        spec: GpuTemplateSpec,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        connection = {name: getattr(vcenter, name) for name in type(vcenter).model_fields}
        outputs = (
            *("name", "path", "moref", "vcenter_uuid", "gpu_model", "gpu_memory_mib", "gpu_count", "profile"),
            *("content", "settings", "explained", "verified", "drift"),
        )
        props = {
            "connection": {**connection, "password": pulumi.Output.secret(connection["password"])},
            "owner": asdict(owner),
            "spec": spec.dump(),
            **dict.fromkeys(outputs),
        }
        super().__init__("aiinfra:vsphere:GpuTemplate", resource_name, props, opts)
