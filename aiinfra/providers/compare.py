"""Compare two property trees by dotted path. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aiinfra.engine.wire import Secret, Tree, Unknown


def changed_paths(old: Tree, new: Tree) -> list[str]:
    """Return the paths that differ: `["spec.driver.version", "objects[3].data"]`.

    An unknown part counts as changed, a change of secrecy does not.
    """
    return list(_walk("", old, new))


def same(old: Tree, new: Tree) -> bool:
    """Return whether no path differs."""
    return next(_walk("", old, new), None) is None


def _walk(path: str, old: Tree, new: Tree) -> Iterator[str]:
    old, new = _bare(old), _bare(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _walk(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _walk(f"{path}[{index}]", one, other)
    elif isinstance(old, Unknown) or isinstance(new, Unknown) or old != new:
        yield path


def _bare(tree: Tree) -> Tree:
    return _bare(tree.value) if isinstance(tree, Secret) else tree
