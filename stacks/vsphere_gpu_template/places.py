"""What must hold of the inventory paths of templates before any vCenter is asked."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.domains.vsphere.inventory_paths import (
    CLUSTER,
    DATACENTER,
    DATASTORE,
    VM,
    VM_FOLDER,
    Step,
    absolute,
    contradiction,
    datacenter_path,
    pool_below,
    pool_path,
    steps,
)
from aiinfra.domains.vsphere.spec import Placement
from aiinfra.stack import StackName, Surroundings, Violation
from stacks.vsphere_gpu_template.spec import GpuTemplateInputs

TOPS = {"cluster": "host", "datastore": "datastore", "folder": "vm"}
"""The folder of a datacenter that a field names an object of."""
WHATS = {"cluster": CLUSTER, "datastore": DATASTORE, "folder": VM_FOLDER}
Field = tuple[str, ...]


def places(inputs: GpuTemplateInputs) -> Iterator[Violation]:
    """Yield what is wrong with each place alone."""
    if inputs.place is None and not inputs.failure_domains:
        yield Violation(("place",), "is required", "write datacenter, cluster and datastore, or failure_domains")
    if inputs.place is not None and inputs.failure_domains:
        yield Violation(("place",), "cannot stand beside failure_domains", "give each failure domain its place")
    for at, place in _with_fields(inputs):
        empty = [field for field in ("datacenter", "cluster", "datastore") if not getattr(place, field).strip("/")]
        for field in empty:
            yield Violation((*at, field), "is empty", "name it as vCenter shows it")
        if not empty:
            yield from _elsewhere(at, place)
    if isinstance(inputs.source, str) and inputs.source.startswith("/") and "/vm/" not in inputs.source:
        hint = "write the path of a VM or template: /DATACENTER/vm/FOLDER/NAME"
        yield Violation(("source",), f"{inputs.source} is not below a datacenter's folder vm", hint)


def contradicted(name: StackName, inputs: GpuTemplateInputs, around: Surroundings) -> Iterator[Violation]:
    """Yield each path that says what an earlier one, of this stack or of one before it in the file, says otherwise."""
    known: dict[str, tuple[Step, str]] = {}
    for stack, (_, other) in around.stacks.items():
        if not isinstance(other, GpuTemplateInputs) or other.vcenter != inputs.vcenter:
            continue
        for field, step in _steps(other):
            where = f"stacks.{stack}.{'.'.join(field)}"
            first, said = known.setdefault(step.path, (step, where))
            if stack == name and (why := contradiction(first, step)):
                yield Violation(field, why, f"a vCenter has one of them: correct this path, or {said}")
        if stack == name:
            return


def _with_fields(inputs: GpuTemplateInputs) -> Iterator[tuple[Field, Placement]]:
    if inputs.place:
        yield ("place",), inputs.place
    for name, place in inputs.failure_domains.items():
        yield ("failure_domains", name), place


def _elsewhere(at: Field, place: Placement) -> Iterator[Violation]:
    """Yield each absolute path that leads to another datacenter, another kind of object or another cluster."""
    for field, top in TOPS.items():
        path, folder = absolute(getattr(place, field), place.datacenter, top), absolute("", place.datacenter, top)
        if not path.startswith(f"{folder}/") and not (field == "folder" and path == folder):
            hint = f"write a path below {folder}, or the datacenter that it is in"
            yield Violation((*at, field), f"{path} is not below {folder}", hint)
    cluster = absolute(place.cluster, place.datacenter, "host")
    if (pool := pool_below(place.resource_pool, cluster)).startswith("/"):
        hint = f"write a path below {pool_path('', cluster)}"
        yield Violation((*at, "resource_pool"), f"{pool} is no resource pool of the cluster {cluster}", hint)


def _steps(inputs: GpuTemplateInputs) -> Iterator[tuple[Field, Step]]:
    """Yield what must stand at every path that the inputs name, with the field."""
    for at, place in _with_fields(inputs):
        datacenter = datacenter_path(place.datacenter)
        yield from (((*at, "datacenter"), step) for step in steps(datacenter, DATACENTER))
        for field, top in TOPS.items():
            path, folder = absolute(getattr(place, field), place.datacenter, top), f"{datacenter}/{top}"
            if path.startswith(f"{folder}/"):
                yield from (((*at, field), step) for step in steps(path, WHATS[field], folder))
        source = absolute(inputs.source, place.datacenter, "vm") if isinstance(inputs.source, str) else ""
        if source.startswith(f"{datacenter}/vm/"):
            yield from ((("source",), step) for step in steps(source, VM, f"{datacenter}/vm"))
