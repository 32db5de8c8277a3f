"""From ENV to a typed environment, or to every problem at once. Reads files; touches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aiinfra.config.check import check
from aiinfra.config.files import Files
from aiinfra.config.flags import PREFIX, Flags
from aiinfra.config.layers import Layer, Merged, document_without_marks, merge_layers
from aiinfra.config.loaded import Loaded
from aiinfra.config.lookup import find_environment
from aiinfra.config.places import Located, locate, sorted_problems
from aiinfra.config.strays import Strays
from aiinfra.config.targets import default_layer, is_shared, lab_layer, shared_layers
from aiinfra.config.values import parse_values
from aiinfra.errors import ConfigError, Problem
from aiinfra.stack import StackType
from aiinfra.world import World

Kinds = Mapping[str, StackType[Any, Any]]


def load_environment(
    name_or_path: str,
    *,
    world: World,
    catalog: Kinds,
    sets: Sequence[str] = (),
    target: Literal["lab"] | None = None,
    real_operators: bool = False,
) -> Loaded:
    """Read, merge, check and plan. Raises `ConfigError` with every problem found.

    `target` overrides the file's; `real_operators` run in a lab whatever the file says.
    """
    path = find_environment(name_or_path, world)
    files = Files(world.cwd)
    files.read(path)
    if not files.usable:
        raise ConfigError(problems=sorted_problems(files.found))
    layers, flagged = _flag_layers(files.layers, sets, world)
    if target:
        layers = [Layer("rehearsal", document_without_marks({"target": target})), *layers]
    whole = _with_target(layers, catalog)
    tree, late_flaws = parse_values(whole.tree)
    plan, flaws = check(tree, path.stem, catalog, real_operators=real_operators)
    strays = Strays(layers)
    wrong = [flaw for flaw in (*late_flaws, *flaws) if not strays.hold(flaw.at)]
    own = [flaw for flaw in wrong if not is_shared(flaw.at, whole)]
    found = [
        *files.found,
        *flagged,
        *map(_without_place, strays.problems()),
        *(locate(flaw, whole) for flaw in own or wrong),
    ]
    if plan is None or found:
        raise ConfigError(problems=sorted_problems(found))
    return Loaded(path, plan, Merged(tree, whole.layers))


def _flag_layers(files: list[Layer], sets: Sequence[str], world: World) -> tuple[list[Layer], list[Located]]:
    """Return the layers that people wrote, strongest first, and what is wrong with the flags."""
    flags = Flags(merge_layers(files).tree)
    for name in sorted(name for name in world.environ if name.startswith(PREFIX)):
        flags.variable(name, world.environ[name])
    for text in sets:
        flags.set(text)
    return [*flags.layers, *files], [_without_place(problem) for problem in flags.problems]


def _without_place(problem: Problem) -> Located:
    return Located((-1, 0, 0, str(problem)), problem)


def _with_target(layers: list[Layer], catalog: Kinds) -> Merged:
    tree = merge_layers(layers).tree
    upper = [*lab_layer(tree, catalog), *layers]
    return merge_layers([*upper, *shared_layers(merge_layers(upper).tree, catalog), default_layer(tree, catalog)])
