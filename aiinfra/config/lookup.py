"""Which file ENV means."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from aiinfra.config.files import display_path
from aiinfra.errors import ConfigError
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.world import World

FOLDERS = (".", "environments", "examples")
SUFFIXES = (".yaml", ".yml")


def find_environment(env: str, world: World) -> Path:
    """Return the file of ENV, which is a path or a name looked up in folders. Raises `ConfigError`."""
    if "/" in env or env.endswith(SUFFIXES):
        return _by_path(env, world)
    for folders in (_local_folders(world), installed_folders()):
        found = [path for folder in folders if (path := _in_folder(folder, env, world))]
        if len(found) > 1:
            names = " and ".join(display_path(path, world.cwd) for path in found)
            raise ConfigError(f"{env} may mean {names}", code="config.ambiguous", where="ENV", hint="give the path")
        if found:
            return found[0]
    raise _not_found(env, world)


def environment_names(world: World) -> list[str]:
    """Return the names that can be given as ENV, for hints and completion."""
    folders = (*_local_folders(world), *installed_folders())
    files = (path for folder in folders for path in sorted(_yaml_files(folder)) if path.is_file())
    return list(dict.fromkeys(p.stem for p in files if p.suffix in SUFFIXES and p.stem[0] not in "._"))


def _by_path(env: str, world: World) -> Path:
    path = world.cwd / Path(env.replace("~", str(world.home()), 1) if env.startswith("~/") else env)
    if _exists(path):
        return path
    folder = path.parent
    siblings = [p for p in _yaml_files(folder) if p.suffix in SUFFIXES and p != path]
    near = did_you_mean(env, (display_path(p, world.cwd) for p in siblings))
    raise ConfigError(f"there is no file {env}", code="config.not_found", where="ENV", hint=near)


def _local_folders(world: World) -> Sequence[Path]:
    return tuple(world.cwd / folder for folder in FOLDERS)


def installed_folders() -> Sequence[Path]:
    """Return the folders of the installed examples: in the wheel, or beside the packages of a checkout."""
    spec = find_spec("stacks")
    roots = [Path(where) for where in (spec.submodule_search_locations or ())] if spec else []
    return tuple(f for root in roots for f in (root / "_data" / "examples", root.parent / "examples") if f.is_dir())


def _in_folder(folder: Path, env: str, world: World) -> Path | None:
    found = [path for suffix in SUFFIXES if _exists(path := folder / f"{env}{suffix}")]
    if len(found) > 1:
        names = " and ".join(display_path(path, world.cwd) for path in found)
        raise ConfigError(f"{env} may mean {names}", code="config.ambiguous", where="ENV", hint="remove one of them")
    return found[0] if found else None


def _not_found(env: str, world: World) -> ConfigError:
    hint = did_you_mean(env, environment_names(world))
    if env and _exists(folder := world.cwd / env) and folder.is_dir():
        hint = f"{env} is a folder: name a file in it"
    looked = ", ".join(f"./{folder}" if folder != "." else "./" for folder in FOLDERS)
    message = f"no environment is named {env}: looked for {env}.yaml in {looked} and the installed examples"
    return ConfigError(message, code="config.not_found", where="ENV", hint=hint or "aiinfra init writes a first one")


def _exists(path: Path) -> bool:
    """Whether there is something that can be opened; a name that no file can have is not there."""
    try:
        return path.exists()
    except OSError:
        return False


def _yaml_files(folder: Path) -> Sequence[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return ()
