"""The questions to a vCenter before a template is made, and their judgement. Imported when one is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aiinfra.domains.vsphere.checks import OtherStack, judge
from aiinfra.domains.vsphere.inventory_paths import absolute
from aiinfra.domains.vsphere.reading.observed import Site, SiteQuestion
from aiinfra.domains.vsphere.reading.privileges import site_question
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.domains.vsphere.template.mmio import SOURCE as MMIO_SOURCE
from aiinfra.domains.vsphere.template.resolving import resolve
from aiinfra.errors import StepError
from aiinfra.stack import Finding, Inputs, StackName
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs

NO_OTHERS: Final[Mapping[StackName, Inputs]] = MappingProxyType({})


def site_questions(inputs: GpuTemplateInputs) -> list[SiteQuestion]:
    """Return the sites to read, one for each failure domain, in the order of names."""
    return [site_question(spec) for spec in inputs.templates()]


def findings(
    inputs: GpuTemplateInputs, sites: Sequence[Site], others: Mapping[StackName, Inputs] = NO_OTHERS
) -> Iterator[Finding]:
    """Yield the findings about `sites`, in the order of `site_questions`. `others`: inputs of the other stacks."""
    for spec, site in zip(inputs.templates(), sites, strict=False):
        yield from judge(site, spec, list(_in_same_cluster(inputs, spec, others)))
        yield from _explanations(spec, site)


def _in_same_cluster(
    inputs: GpuTemplateInputs, spec: GpuTemplateSpec, others: Mapping[StackName, Inputs]
) -> Iterator[OtherStack]:
    """Yield the templates of other stacks in the cluster of `spec`."""
    for name, other in others.items():
        if isinstance(other, GpuTemplateInputs) and other.vcenter == inputs.vcenter:
            yield from (OtherStack(name, one) for one in other.templates() if _cluster(one) == _cluster(spec))


def _cluster(spec: GpuTemplateSpec) -> str:
    return absolute(spec.place.cluster, spec.place.datacenter, "host")


def _explanations(spec: GpuTemplateSpec, site: Site) -> Iterator[Finding]:
    """Yield why the template gets its profile, MMIO space and placement; nothing for a site that cannot serve."""
    about = f"the template of {spec.failure_domain}" if spec.failure_domain else "the template"
    try:
        resolved = resolve(spec, site)
    except StepError:
        return
    for sentence in resolved.explained:
        yield Finding("ok", about, sentence, "to be chosen and computed", "", MMIO_SOURCE, "vsphere.template")
