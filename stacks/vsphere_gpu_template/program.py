"""One resource for each failure domain; our provider makes the templates."""

from __future__ import annotations

import pulumi

from aiinfra.domains.vsphere.marks import Owner
from aiinfra.domains.vsphere.resources import GpuTemplate
from aiinfra.stack import StackContext
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs, GpuTemplates


def program(context: StackContext, inputs: GpuTemplateInputs) -> GpuTemplates:
    owner = Owner(context.environment, context.environment_id, context.stack)
    templates = {
        spec.failure_domain or "default": GpuTemplate(
            spec.failure_domain or "template", vcenter=inputs.vcenter, owner=owner, spec=spec
        )
        for spec in inputs.templates(context.base)
    }
    first = next(iter(templates.values()))
    return GpuTemplates.of(
        name=first.name,
        path=first.path,
        moref=first.moref,
        templates={name: _identity(template) for name, template in templates.items()},
        mode=inputs.gpu.mode,
        gpu_model=first.gpu_model,
        gpu_memory_mib=first.gpu_memory_mib,
        gpu_count=first.gpu_count,
        profile=first.profile,
    )


def _identity(template: GpuTemplate) -> dict[str, pulumi.Output[str]]:
    return {"name": template.name, "path": template.path, "moref": template.moref}
