"""vSphere: VM templates with GPUs, in a vCenter and on its ESXi hosts."""

from aiinfra.domain import Block, Domain

DOMAIN = Domain(
    name="vsphere",
    summary="VMware vCenter and its ESXi hosts.",
    block=Block(
        key="vcenter",
        model="aiinfra.domains.vsphere.block:VCenterSpec",
        in_lab={
            **{"host": "lab", "user": "lab", "password": "lab"},
            **{"port": 443, "ca": "", "fingerprint": "", "insecure": False},
        },
        headline="vCenter {host}",
    ),
    connections="aiinfra.domains.vsphere.provider.vcenters:VCenters",
    resources={"aiinfra:vsphere:GpuTemplate": "aiinfra.domains.vsphere.provider.handlers:gpu_template"},
    documents={"aiinfra:vsphere:GpuTemplate": "aiinfra.domains.vsphere.documents:gpu_template"},
    packages=("aiinfra.domains.vsphere",),
    error_codes="aiinfra.domains.vsphere.error_codes:CODES",
    tools="aiinfra.domains.vsphere.lab.tools:TOOLS",
    world="aiinfra.domains.vsphere.world:WORLD",
    lab="aiinfra.domains.vsphere.lab.domain:LAB",
)
