"""The secret sources of a plan, and reading them: all at once, each missing one a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from aiinfra.errors import AiinfraError, ConfigError, Problem
from aiinfra.model.tree import Loc, Tree, as_tree, at_path, dotted, leaves
from aiinfra.plan.planner import Plan
from aiinfra.stack import ReadsFiles, SecretSource, StackName
from aiinfra.world import World

MAX_BYTES: Final = 1 << 20

Where = Callable[[Loc], str]
"""`file:line:col` of a path in the environment."""


def needed_secrets(plan: Plan) -> list[tuple[SecretSource, Loc]]:
    """Return every use of a secret source with its path, in the order of the file."""
    blocks = {key: as_tree(block) for key, block in plan.environment.blocks.items()}
    stacks: dict[str, Tree] = {name: entry.inputs for name, entry in plan.environment.stacks.items()}
    found = ((leaf, at) for at, leaf in leaves({**blocks, "stacks": stacks}) if isinstance(leaf, SecretSource))
    return [(leaf, at) for leaf, at in found if not _is_shared(at, leaf, blocks)]


def _is_shared(at: Loc, leaf: SecretSource, blocks: Mapping[str, Tree]) -> bool:
    """Whether the source that a stack uses is that of a block of the file, which is asked for there."""
    if len(at) < 4 or at[0] != "stacks" or at[2] not in blocks:
        return False
    try:
        return at_path(blocks, at[2:]) == leaf
    except KeyError:
        return False


def read_secrets(
    plan: Plan,
    world: World,
    path: Path,
    *,
    opener: Callable[[SecretSource], str] | None = None,
    where: Where = lambda at: "",
) -> Mapping[SecretSource, str]:
    """The values of all sources. `opener` gives them instead of the machine, as a rehearsal does.

    A file is read as UTF-8, relative to the environment file at `path`, without one line feed at its end; where it is
    the connection of a kind that `ReadsFiles`, what it names in its own folder is a part of it.
    Raises `ConfigError` with one problem for each use of a source that is missing.
    """
    needed = needed_secrets(plan)
    if opener is not None:
        return {source: opener(source) for source, _ in needed}
    values: dict[SecretSource, str] = {}
    problems: list[Problem] = []
    for source, at in needed:
        read = values.get(source) or read_source(source, world, path.parent)
        if isinstance(read, str):
            read = _self_contained(plan, source, at, read, world, path.parent)
        if isinstance(read, str):
            values[source] = read
        else:
            problems.append(Problem(where(at), dotted(at), *read, code="config.secret_missing"))
    if problems:
        raise ConfigError(problems=problems)
    return values


def _self_contained(  # noqa: PLR0917  each is a part of one use
    plan: Plan, source: SecretSource, at: Loc, text: str, world: World, folder: Path
) -> str | tuple[str, str]:
    """The text as the kind of a stack wants it that is connected by it, or message and hint."""
    step = plan.steps.get(StackName(str(at[1]))) if at[0] == "stacks" and len(at) == 3 else None
    if step is None or source.scheme != "file" or at[2] not in step.kind.connection:
        return text
    if not isinstance(step.kind.checks, ReadsFiles):
        return text
    try:
        return step.kind.checks.self_contained(step.inputs, text, _path(source.name, world, folder).parent)
    except AiinfraError as error:
        return error.record.message, error.record.hint


def read_source(source: SecretSource, world: World, folder: Path) -> str | tuple[str, str]:
    """Return the value, or a message and a hint."""
    if source.scheme == "env":
        return _variable(source.name, world)
    return _file(source.name, world, folder)


def _variable(name: str, world: World) -> str | tuple[str, str]:
    if name not in world.environ:
        return f"the environment variable {name} is not set", f"export {name}=…"
    return world.environ[name] or (f"the environment variable {name} is empty", f"export {name}=…")


def _file(name: str, world: World, folder: Path) -> str | tuple[str, str]:
    path = _path(name, world, folder)
    try:
        raw = _bytes(path)
        text = raw.decode("utf-8")
    except FileNotFoundError:
        return f"the file {path} does not exist", ""
    except UnicodeDecodeError:
        return f"the file {path} is not UTF-8 text", ""
    except (OSError, ValueError) as exc:
        return f"the file {path} cannot be read: {getattr(exc, 'strerror', None) or exc}", ""
    if len(raw) > MAX_BYTES:
        return f"the file {path} is larger than 1 MiB, too large for a secret", ""
    return text.removesuffix("\n").removesuffix("\r") or (f"the file {path} is empty", "")


def _path(name: str, world: World, folder: Path) -> Path:
    return world.home() / name[2:] if name.startswith("~/") else folder / name


def _bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)
