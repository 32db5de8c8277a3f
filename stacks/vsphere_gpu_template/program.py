"""One resource for each failure domain; our provider makes the templates."""

from __future__ import annotations

import pulumi

from aiinfra.domains.vsphere.resources import GpuTemplate
from aiinfra.stack import StackContext
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs, GpuTemplates, Place
from stacks.vsphere_gpu_template.wanted import places, wanted


def program(context: StackContext, inputs: GpuTemplateInputs) -> GpuTemplates:
    made = {name: _template(context, inputs, name, place) for name, place in places(inputs).items()}
    first = next(iter(made.values()))
    return GpuTemplates.of(
        name=first.name,
        path=first.path,
        moref=first.moref,
        templates={name or "default": _told(one) for name, one in made.items()},
        mode=inputs.gpu.mode,
        gpu_model=first.gpu_model,
        gpu_memory_mib=first.gpu_memory_mib,
        gpu_count=first.gpu_count,
        profile=first.profile,
    )


def _told(template: GpuTemplate) -> dict[str, pulumi.Output[str]]:
    return {"name": template.name, "path": template.path, "moref": template.moref}


def _template(context: StackContext, inputs: GpuTemplateInputs, failure_domain: str, place: Place) -> GpuTemplate:
    return GpuTemplate(
        failure_domain or "template",
        connection={name: getattr(inputs.vcenter, name) for name in type(inputs.vcenter).model_fields},
        owner={"environment": context.environment, "environment_id": context.environment_id, "stack": context.stack},
        wanted=wanted(inputs, failure_domain, place, context.base),
        verify=inputs.verify,
        manage_hosts=inputs.manage_hosts,
        wait_for_host_mig=inputs.wait_for_host_mig,
        limit_seconds=inputs.limit,
    )
