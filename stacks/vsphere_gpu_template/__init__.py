"""VM templates with GPUs."""

from aiinfra.stack import StackType
from stacks.vsphere_gpu_template.checks import Checks
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs, GpuTemplates

STACK = StackType(
    kind="vsphere_gpu_template",
    summary="VM templates with GPUs that machine sets clone: vGPU, MIG-backed vGPU, passthrough, device groups.",
    inputs=GpuTemplateInputs,
    outputs=GpuTemplates,
    program="stacks.vsphere_gpu_template.program:program",
    domains=("vsphere",),
    checks=Checks(),
    connection=("vcenter",),
    external="what the hosts can start",
    known_outputs=("mode",),
    lab_defaults={"verify": "power_on", "limit": "1m"},
)
