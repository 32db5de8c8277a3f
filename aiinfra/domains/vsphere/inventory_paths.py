"""Inventory paths as texts: names and short paths made absolute, and what each step of a path must be.

A datacenter is named by its path below the root folder, so that `europe/dc1` and `/europe/dc1` are one. In a path a
slash inside a name is written `%2f`, as vCenter writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from aiinfra.dataclass import dataclass

_NAME: Final = re.compile(r"([^/\\%]|%2f|%5c|%25)+")
NAME_LIMIT: Final = 80
"""Characters of a name in a vCenter."""
DATACENTER: Final = "a datacenter"
CLUSTER: Final = "a cluster"
DATASTORE: Final = "a datastore"
VM: Final = "a VM"
VM_FOLDER: Final = "a folder of VMs"
_FOLDER: Final = {
    DATACENTER: "a folder of datacenters",
    CLUSTER: "a folder of clusters",
    DATASTORE: "a folder of datastores",
    VM: VM_FOLDER,
    VM_FOLDER: VM_FOLDER,
}
"""What holds an object, by what that is."""


def datacenter_path(datacenter: str) -> str:
    """Return `/europe/dc1` for `europe/dc1`, which a file may also write as the path itself."""
    return f"/{datacenter.strip('/')}"


def absolute(path: str, datacenter: str, kind: str) -> str:
    """Return `/dc1/vm/templates` for `templates` in the folder `kind` of a datacenter; an absolute path as it is."""
    if path.startswith("/"):
        return f"/{path.strip('/')}"
    return f"{datacenter_path(datacenter)}/{kind}/{path.strip('/')}".rstrip("/")


def below(path: str, datacenter: str, kind: str) -> str:
    """Return `templates` for `/dc1/vm/templates`, and nothing for `/dc1/vm`; a path from elsewhere stays absolute."""
    whole, top = absolute(path, datacenter, kind), absolute("", datacenter, kind)
    return whole if not f"{whole}/".startswith(f"{top}/") else whole[len(top) + 1 :]


def pool_path(pool: str, cluster: str) -> str:
    """Return `/dc1/host/gpu/Resources/team-a` for `team-a` in the cluster `/dc1/host/gpu`; an absolute path as it is.

    The cluster's own pool, which is named by an empty text, is `Resources`.
    """
    return f"/{pool.strip('/')}" if pool.startswith("/") else f"{cluster}/Resources/{pool.strip('/')}".rstrip("/")


def pool_below(pool: str, cluster: str) -> str:
    """Return `team-a` for `/dc1/host/gpu/Resources/team-a`; a path from another cluster stays absolute."""
    whole, top = pool_path(pool, cluster), pool_path("", cluster)
    return whole if not f"{whole}/".startswith(f"{top}/") else whole[len(top) + 1 :]


def name_flaw(name: str) -> str:
    """Return why vCenter has no object of this name; empty for a good one.

    A name has at most 80 characters, with slash, backslash and percent sign escaped (vSphere Web Services API 8.0.3,
    `ManagedEntity.name`).
    """
    if not _NAME.fullmatch(name):
        return f"{name!r} is no name in a vCenter: slash, backslash and percent sign are written %2f, %5c and %25"
    return f"{name!r} has {len(name)} characters, and a name at most {NAME_LIMIT}" if len(name) > NAME_LIMIT else ""


@dataclass(frozen=True, slots=True)
class Step:
    """What stands at an inventory path, as a path that somebody wrote ends there or leads through it."""

    path: str
    """Absolute."""
    what: str
    """`a cluster`, `a folder of clusters`."""


def steps(path: str, what: str, top: str = "") -> Iterator[Step]:
    """Yield what stands at `path`, absolute, and at each step of it below `top`: `what` there, and folders above it."""
    names = path.removeprefix(f"{top}/").strip("/").split("/")
    for count in range(1, len(names)):
        yield Step(f"{top}/{'/'.join(names[:count])}", _FOLDER[what])
    yield Step(f"{top}/{'/'.join(names)}", what)
    if what == DATASTORE:
        datacenter = top.rpartition("/")[0]
        yield Step(f"datastore {names[-1]}{f' of {datacenter}' if datacenter else ''}", path)


def contradiction(first: Step, second: Step) -> str:
    """Return the sentence for two steps of which a vCenter can have only one; empty when it can have both.

    A folder has one object of a name (vSphere Web Services API 8.0.3, `Folder`), and a datacenter one datastore of it
    in whatever folder, as a path of a file names a datastore by its name alone (`SearchIndex.FindByDatastorePath`).
    """
    if first.path != second.path or first.what == second.what:
        return ""
    return f"{first.path} would be both {first.what} and {second.what}"


def contradictions(written: Iterable[Step]) -> Iterator[str]:
    """Yield the sentence for each step that contradicts one before it."""
    known: dict[str, Step] = {}
    for step in written:
        if why := contradiction(known.setdefault(step.path, step), step):
            yield why
