"""The objects of a bundle as values: as the program gave them, as they are sent, as the state holds them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.ownership import with_marks
from aiinfra.engine.wire import UNKNOWN, Tree, Unknown, reveal
from aiinfra.providers.compare import same
from aiinfra.providers.contract import CheckFailure, Made, Properties
from aiinfra.providers.marshal import reveal_known
from aiinfra.stack import MARK_ID

TreesByRef = Mapping[ObjectRef, Tree]


@dataclass(frozen=True, slots=True)
class BundleState:
    """What a bundle has in the world: the objects as the program gave them, and their uids."""

    trees: TreesByRef
    uids: Mapping[ObjectRef, str]

    @classmethod
    def of(cls, properties: Properties) -> BundleState:
        kept = reveal(properties.get("uids")) or {}
        objects = trees_by_ref(properties)
        return cls(objects, {ref: uid for ref in objects if (uid := kept.get(_key(ref)))})

    def with_(self, changed: TreesByRef, uids: Mapping[ObjectRef, str]) -> BundleState:
        """Return the state after the objects of `uids` were applied as in `changed`."""
        now = {**self.trees, **{ref: changed[ref] for ref in uids}}
        return BundleState(now, {**self.uids, **uids})

    def only(self, refs: Iterable[ObjectRef]) -> BundleState:
        return BundleState({ref: self.trees[ref] for ref in refs}, self.uids)

    def made(self, id: str, properties: Properties) -> Made:
        kept = {_key(ref): self.uids[ref] for ref in self.trees if ref in self.uids}
        return Made(id, {**properties, "objects": list(self.trees.values()), "uids": kept})


def trees_by_ref(properties: Properties) -> TreesByRef:
    """Return the objects as the program gave them, by reference."""
    trees = cast("Sequence[Tree]", properties.get("objects") or ())
    return {ObjectRef.of(reveal_known(tree)): tree for tree in trees}


def request_body(tree: Tree, properties: Properties) -> Object:
    """Return the object as it is sent to the API server: secrets revealed, marks among its labels."""
    return with_marks(reveal(tree), reveal(properties.get("labels")) or {})


def changed_trees(before: TreesByRef, olds: Properties, news: Properties) -> TreesByRef:
    """Return the objects of `news` that are new or differ from those in `before`."""
    return {
        ref: tree
        for ref, tree in trees_by_ref(news).items()
        if ref not in before or not same(request_body(before[ref], olds), request_body(tree, news))
    }


def name_failures(inputs: Properties) -> Iterator[CheckFailure]:
    """Yield a failure for each object without a kind or name, and for duplicates; unknown parts pass."""
    objects = reveal_known(inputs.get("objects"))
    seen: set[tuple[Any, ...]] = set()
    for index, obj in enumerate(() if isinstance(objects, Unknown) else objects):
        names = _names(obj)
        if not all(isinstance(name, str | Unknown) for name in names):
            yield CheckFailure(f"objects[{index}]", "needs apiVersion, kind and metadata.name")
        elif names in seen and not any(isinstance(name, Unknown) for name in names):
            yield CheckFailure(f"objects[{index}]", f"{names[1]} {names[3]}/{names[2]} is in the list twice")
        seen.add(names)


def mark_failures(inputs: Properties) -> Iterator[CheckFailure]:
    """Yield a failure for marks without an environment's id, and for objects that carry another id; unknowns pass.

    Without the id no sweep finds the objects, and nothing distinguishes them from those of others.
    """
    labels, objects = reveal_known(inputs.get("labels")), reveal_known(inputs.get("objects"))
    if isinstance(labels, Unknown):
        return
    if not (id := reveal_known(labels.get(MARK_ID))):
        yield CheckFailure("labels", f"must have {MARK_ID}, the mark of its environment, from StackContext.labels()")
        return
    for index, obj in enumerate(() if isinstance(objects, Unknown) else objects):
        own = _own_id(obj)
        if isinstance(own, str) and isinstance(id, str) and own != id:
            yield CheckFailure(f"objects[{index}]", f"has another {MARK_ID} among its labels than its bundle")


def _own_id(obj: Any) -> Any:
    metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels.get(MARK_ID) if isinstance(labels, Mapping) else None


def _names(obj: Any) -> tuple[Any, ...]:
    """Return apiVersion, kind, name and namespace; None for each that is missing, unknown for each that is unknown."""
    if isinstance(obj, Unknown):
        return (UNKNOWN,)
    metadata = obj.get("metadata")
    if isinstance(metadata, Unknown):
        return obj.get("apiVersion"), obj.get("kind"), UNKNOWN, UNKNOWN
    known = metadata if isinstance(metadata, Mapping) else {}
    return obj.get("apiVersion"), obj.get("kind"), known.get("name"), known.get("namespace", "")


def _key(ref: ObjectRef) -> str:
    return f"{ref.api_version} {ref}"
