"""A stack of one kind in a good environment, and what is said when one thing in it is broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from aiinfra.catalog import Catalog
from aiinfra.config import load_environment
from aiinfra.errors import ConfigError
from aiinfra.world import World

CLUSTER: Mapping[str, Any] = {"cluster": {"kind": "existing_cluster"}}


def problems(
    folder: Path,
    stacks: Mapping[str, Any],
    target: str = "lab",
    *,
    catalog: Catalog | None = None,
    lab: Mapping[str, Any] | None = None,
) -> list[str]:
    """`stacks.app.field: sentence (hint)` for each problem of the environment; the place in the file left out."""
    path = folder / "site.yaml"
    with path.open("w") as file:
        tree = {"version": "v1", "name": "site", "target": target, "stacks": dict(stacks)}
        YAML(typ="safe").dump({**tree, **({"lab": dict(lab)} if lab else {})}, file)
    try:
        load_environment(str(path), sets=(), world=World.real(), catalog=catalog or Catalog.installed())
    except ConfigError as error:
        return [str(problem).partition(": ")[2] for problem in error.problems]
    return []
