"""Properties of managed objects, many at once: leaf paths through the PropertyCollector, in pages.

Whole objects are never read: pyVmomi fails on one odd value in them, and a vCenter sends megabytes. A property that is
unset is absent; one that may not be read is in `Row.unread`, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.connections import stopping_with
from aiinfra.domains.vsphere.client.errors import VSphereError
from aiinfra.domains.vsphere.client.session import VCenter

PAGE: Final = 2500
"""Objects in one answer. No host can have as many VMs: reading those of some hosts takes fewer pages than hosts."""

_Collector = vmodl.query.PropertyCollector


@dataclass(frozen=True, slots=True)
class Row:
    """One object and what was read of it."""

    object: Any = field(repr=False)
    """The managed object, to call methods of."""
    kind: str
    """`VirtualMachine`."""
    moref: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values by path; what is unset is absent."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Why a path could not be read, by path."""

    def get(self, path: str, default: Any = None) -> Any:
        return self.values.get(path, default)


@dataclass(frozen=True, slots=True)
class Traversal:
    """From objects of one kind to those that a property of theirs names; `then` names the steps that follow."""

    name: str
    kind: str
    path: str
    then: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """Objects, whatever the steps reach from them, and the paths to read by kind. A kind without paths is passed by."""

    roots: Sequence[Any]
    paths: Mapping[str, Sequence[str]]
    steps: Sequence[Traversal] = ()


def collect(vcenter: VCenter, kind: str, paths: Sequence[str], roots: Sequence[Any], *, page: int = PAGE) -> list[Row]:
    """Read the paths of these objects, all of one kind. An object that is gone has no row."""
    return retrieve(vcenter, [Query(roots, {kind: paths})], page=page) if roots else []


def retrieve(vcenter: VCenter, queries: Sequence[Query], *, page: int = PAGE) -> list[Row]:
    """Read all rows that the queries reach, in one request; once more when the session ends between two pages."""
    session = vcenter.session
    with stopping_with(vcenter.stop):
        try:
            return list(_rows(vcenter, queries, page))
        except VSphereError:
            if vcenter.session == session:
                raise
        return list(_rows(vcenter, queries, page))


def one(vcenter: VCenter, root: Any, paths: Sequence[str]) -> Row | None:
    """Read the paths of one object; None when it is gone."""
    kind = type(root).__name__.rpartition(".")[2]
    return next(iter(collect(vcenter, kind, paths, [root])), None)


def _rows(vcenter: VCenter, queries: Sequence[Query], page: int) -> Iterator[Row]:
    collector = vcenter.content.propertyCollector
    answer = collector.RetrievePropertiesEx(
        [_filter(query) for query in queries], _Collector.RetrieveOptions(maxObjects=page)
    )
    while answer is not None:
        yield from (_row(vcenter, found) for found in answer.objects)
        if not answer.token:
            return
        answer = collector.ContinueRetrievePropertiesEx(answer.token)


def _filter(query: Query) -> Any:
    selections = [_selection(step) for step in query.steps]
    objects = [_Collector.ObjectSpec(obj=root, skip=False, selectSet=selections) for root in query.roots]
    properties = [
        _Collector.PropertySpec(type=GetVmodlType(f"vim.{kind}"), all=False, pathSet=list(paths))
        for kind, paths in query.paths.items()
    ]
    return _Collector.FilterSpec(objectSet=objects, propSet=properties, reportMissingObjectsInResults=True)


def _selection(step: Traversal) -> Any:
    following = [_Collector.SelectionSpec(name=name) for name in step.then]
    kind = GetVmodlType(f"vim.{step.kind}")
    return _Collector.TraversalSpec(name=step.name, type=kind, path=step.path, skip=False, selectSet=following)


def _row(vcenter: VCenter, found: Any) -> Row:
    kind, moref = type(found.obj).__name__.rpartition(".")[2], found.obj._moId
    values = {each.name: each.val for each in found.propSet or () if each.val is not None}
    unread = {each.path: _reason(vcenter, found.obj, values, each.fault) for each in found.missingSet or ()}
    return Row(found.obj, kind, moref, values, unread)


def _reason(vcenter: VCenter, obj: vim.ManagedEntity, values: Mapping[str, Any], fault: Any) -> str:
    """Return why a path is not read. An object without a known inventory path is called by its name."""
    if "name" in values:
        vcenter.paths.setdefault(obj._moId, str(values["name"]))
    return vcenter.refusal(fault, vcenter.name(obj)).record.message
