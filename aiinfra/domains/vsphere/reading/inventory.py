"""Where things are in a vCenter: inventory paths, and the VMs that carry our mark.

A path is written as vCenter writes it, with `%2f` for a slash inside a name: `/dc1/vm/templates/rhcos`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.properties import Query, Row, Traversal, collect, retrieve
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.marks import MARK_INSTANCE, MARK_NAME, MARK_STEP, MARKS, PROOF
from aiinfra.stack import MARK_ENVIRONMENT, MARK_ID

_DOWN: Final = (
    Traversal("folder", "Folder", "childEntity", ("folder", "vms", "hosts", "datastores", "pools")),
    Traversal("vms", "Datacenter", "vmFolder", ("folder",)),
    Traversal("hosts", "Datacenter", "hostFolder", ("folder",)),
    Traversal("datastores", "Datacenter", "datastoreFolder", ("folder",)),
    Traversal("pools", "ComputeResource", "resourcePool", ("below",)),
    Traversal("below", "ResourcePool", "resourcePool", ("below",)),
)
_UP: Final = (Traversal("parent", "ManagedEntity", "parent", ("parent",)),)
_NAMES: Final = ("name", "parent")


@dataclass(frozen=True, slots=True)
class Entity:
    """One object with its place and what was read of it."""

    path: str
    name: str
    row: Row

    @property
    def object(self) -> Any:
        return self.row.object

    @property
    def moref(self) -> str:
        return self.row.moref


@dataclass(frozen=True, slots=True)
class MarkedVm:
    """A VM or template that carries the mark of an environment."""

    moref: str
    path: str
    name: str
    is_template: bool
    powered_on: bool
    marks: Mapping[str, str]
    """Values by extraConfig key, those of `MARKS` that it has."""
    object: Any = field(repr=False, compare=False)
    """`vim.VirtualMachine`."""

    @property
    def is_proof(self) -> bool:
        """Whether it is a clone that is to be thrown away once it was seen to start."""
        return self.marks.get(MARK_STEP) == PROOF


def find(vcenter: VCenter, path: str) -> Any | None:
    """Return the managed object at an inventory path; None when there is none that the account may see."""
    found = vcenter.content.searchIndex.FindByInventoryPath(path)
    if found is not None:
        vcenter.paths[found._moId] = path
    return found


def path_of(vcenter: VCenter, obj: Any) -> str | None:
    """Return the inventory path of a managed entity; None when it is gone."""
    kinds = ("Folder", "Datacenter", "ComputeResource", "HostSystem", "Datastore", "VirtualMachine", "ResourcePool")
    rows = retrieve(vcenter, [Query([obj], dict.fromkeys(kinds, _NAMES), _UP)])
    paths = paths_of(rows)
    vcenter.paths.update(paths)
    return paths.get(obj._moId)


def walk(
    vcenter: VCenter, kinds: Mapping[str, Sequence[str]], besides: Sequence[Query] = ()
) -> Mapping[str, Sequence[Entity]]:
    """Return all folders, datacenters and objects of `kinds` by kind, each with the paths that are named for it.

    One request, however large the inventory; VMs and resource pools are only sent when they are among `kinds`. The
    queries `besides` travel with it.
    """
    paths = {kind: [*_NAMES, *further] for kind, further in {"Folder": (), "Datacenter": (), **kinds}.items()}
    rows = retrieve(vcenter, [Query([vcenter.content.rootFolder], paths, _DOWN), *besides])
    places = paths_of(rows)
    vcenter.paths.update(places)
    found: dict[str, list[Entity]] = {kind: [] for kind in paths}
    for row in rows:
        found.setdefault(row.kind, []).append(Entity(places[row.moref], str(row.get("name", row.moref)), row))
    return found


def marked(vcenter: VCenter, environment_id: str) -> list[MarkedVm]:
    """Return every VM and template that was made for this environment, wherever it was moved to, by path.

    A clone that somebody else made, such as a machine of OpenShift, inherits the marks and is not ours.
    """
    return _with_mark(vcenter, MARK_ID, environment_id)


def namesakes(vcenter: VCenter, environment: str) -> Mapping[str, Sequence[str]]:
    """Return the paths of what was made for environments of this name, by environment id."""
    found: dict[str, list[str]] = {}
    for vm in _with_mark(vcenter, MARK_ENVIRONMENT, environment):
        found.setdefault(vm.marks.get(MARK_ID, ""), []).append(vm.path)
    return found


def _with_mark(vcenter: VCenter, key: str, value: str) -> list[MarkedVm]:
    vms = walk(vcenter, {"VirtualMachine": [_setting(key)]})["VirtualMachine"]
    ours = {vm.moref: vm for vm in vms if _value(vm.row, key) == value}
    paths = ["config.template", "config.instanceUuid", "runtime.powerState", *map(_setting, MARKS)]
    rows = collect(vcenter, "VirtualMachine", paths, [vm.object for vm in ours.values()])
    made = [_marked(ours[row.moref], row) for row in rows if _is_made(ours[row.moref], row)]
    return sorted(made, key=lambda vm: vm.path)


def _is_made(vm: Entity, row: Row) -> bool:
    instance = row.get("config.instanceUuid")
    return vm.name == _value(row, MARK_NAME) or (bool(instance) and instance == _value(row, MARK_INSTANCE))


def paths_of(rows: Sequence[Row]) -> dict[str, str]:
    """Return inventory paths by moref, of rows with `name` and `parent`; the root folder has none."""
    by_moref = {row.moref: row for row in rows}
    return {row.moref: "".join(reversed(list(_upwards(row, by_moref)))) for row in rows}


def _upwards(row: Row | None, by_moref: Mapping[str, Row]) -> Iterator[str]:
    while row is not None and (parent := row.get("parent")) is not None:
        yield f"/{row.get('name', row.moref)}"
        row = by_moref.get(parent._moId)


def _setting(key: str) -> str:
    """Return the path of one setting among hundreds (`PropertyCollector` indexes arrays by their elements' key)."""
    return f'config.extraConfig["{key}"]'


def _value(row: Row, key: str) -> str | None:
    setting = row.get(_setting(key))
    return None if setting is None else str(setting.value)


def _marked(vm: Entity, row: Row) -> MarkedVm:
    values = {key: value for key in MARKS if (value := _value(row, key)) is not None}
    powered_on = row.get("runtime.powerState") == "poweredOn"
    return MarkedVm(vm.moref, vm.path, vm.name, bool(row.get("config.template")), powered_on, values, row.object)
