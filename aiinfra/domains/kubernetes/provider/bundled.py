"""The objects of a bundle as values: as the program wrote them, as they are sent, as the state remembers them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.objects.ownership import with_marks
from aiinfra.engine.wire import UNKNOWN, Tree, Unknown, reveal
from aiinfra.providers.compare import same
from aiinfra.providers.contract import CheckFailure, Made, Properties
from aiinfra.providers.marshal import opened
from aiinfra.stack import MARK_ID

Written = Mapping[ObjectRef, Tree]


@dataclass(frozen=True, slots=True)
class Bundled:
    """What a bundle has in the world: the objects as written, and their uids."""

    written: Written
    uids: Mapping[ObjectRef, str]

    @classmethod
    def of(cls, properties: Properties) -> Bundled:
        kept = reveal(properties.get("uids")) or {}
        objects = written(properties)
        return cls(objects, {ref: uid for ref in objects if (uid := kept.get(_key(ref)))})

    def with_(self, changed: Written, uids: Mapping[ObjectRef, str]) -> Bundled:
        """After these objects were applied."""
        now = {**self.written, **{ref: changed[ref] for ref in uids}}
        return Bundled(now, {**self.uids, **uids})

    def only(self, refs: Iterable[ObjectRef]) -> Bundled:
        return Bundled({ref: self.written[ref] for ref in refs}, self.uids)

    def made(self, id: str, properties: Properties) -> Made:
        kept = {_key(ref): self.uids[ref] for ref in self.written if ref in self.uids}
        return Made(id, {**properties, "objects": list(self.written.values()), "uids": kept})


def written(properties: Properties) -> Written:
    """The objects as the program wrote them, by reference."""
    trees = cast("Sequence[Tree]", properties.get("objects") or ())
    return {ObjectRef.of(opened(tree)): tree for tree in trees}


def sent(tree: Tree, properties: Properties) -> Object:
    """The object as the API server gets it: secrets opened, marks among its labels."""
    return with_marks(reveal(tree), reveal(properties.get("labels")) or {})


def changed(before: Written, olds: Properties, news: Properties) -> Written:
    """Objects of `news` that are new or differ from what is there."""
    return {
        ref: tree
        for ref, tree in written(news).items()
        if ref not in before or not same(sent(before[ref], olds), sent(tree, news))
    }


def misnamed(inputs: Properties) -> Iterator[CheckFailure]:
    """Objects without a kind or name, and those that are there twice; parts that are not known pass."""
    objects = opened(inputs.get("objects"))
    seen: set[tuple[Any, ...]] = set()
    for index, obj in enumerate(() if isinstance(objects, Unknown) else objects):
        names = _names(obj)
        if not all(isinstance(name, str | Unknown) for name in names):
            yield CheckFailure(f"objects[{index}]", "needs apiVersion, kind and metadata.name")
        elif names in seen and not any(isinstance(name, Unknown) for name in names):
            yield CheckFailure(f"objects[{index}]", f"{names[1]} {names[3]}/{names[2]} is in the list twice")
        seen.add(names)


def unmarked(inputs: Properties) -> Iterator[CheckFailure]:
    """Marks that lack the id of an environment, and objects that carry another one; what is not known passes.

    Without the id no sweep finds the objects, and nothing tells them from those of others.
    """
    labels, objects = opened(inputs.get("labels")), opened(inputs.get("objects"))
    if isinstance(labels, Unknown):
        return
    if not (id := opened(labels.get(MARK_ID))):
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
    """apiVersion, kind, name and namespace; None where one is missing, unknown where it is."""
    if isinstance(obj, Unknown):
        return (UNKNOWN,)
    metadata = obj.get("metadata")
    if isinstance(metadata, Unknown):
        return obj.get("apiVersion"), obj.get("kind"), UNKNOWN, UNKNOWN
    known = metadata if isinstance(metadata, Mapping) else {}
    return obj.get("apiVersion"), obj.get("kind"), known.get("name"), known.get("namespace", "")


def _key(ref: ObjectRef) -> str:
    return f"{ref.api_version} {ref}"
