"""A first environment file: the lab example under another name, with a word on what a real site changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aiinfra.config.lookup import installed_folders
from aiinfra.errors import ConfigError
from aiinfra.model.environment import ENVIRONMENT_NAME

EXAMPLE: Final = "lab.yaml"
_HEAD: Final = """\
# {name}: a GPU platform in a lab on this machine. `aiinfra up {name}` builds it, `aiinfra destroy {name}` removes it.
#
# For a real site: remove `target: lab` and `lab:`, say where the state is kept (state: {{url: "s3://…"}}), and give the
# cluster its kubeconfig: ${{file:~/.kube/config}}. `aiinfra kinds` lists what else there is; `aiinfra rehearse {name}`
# tries the file in a throw-away lab.
"""


def starter_text(name: str, example: str) -> str:
    """Return the example with its leading comment and its name replaced."""
    body = re.sub(r"\A(#[^\n]*\n)+", "", example)
    return _HEAD.format(name=name) + re.sub(r"(?m)^name: .*$", f"name: {name}", body, count=1)


def write_starter(name: str, cwd: Path) -> Path:
    """Write `NAME.yaml` into ./environments if there is one, else here. Raises `ConfigError`; never overwrites."""
    if not re.fullmatch(ENVIRONMENT_NAME, name):
        hint = "lower-case letters, digits and dashes, a letter first, at most 40"
        raise ConfigError(f"{name!r} is no name for an environment", code="config.bad_name", where="NAME", hint=hint)
    folder = cwd / "environments" if (cwd / "environments").is_dir() else cwd
    path = folder / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter_text(name, _example()))
    except FileExistsError as exc:
        raise ConfigError(
            "this file exists and is left as it is", code="config.exists", where=str(path), hint="give another name"
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"the file cannot be written: {exc.strerror}", code="config.unwritable", where=str(path)
        ) from exc
    return path


def _example() -> str:
    return next(folder / EXAMPLE for folder in installed_folders()).read_text(encoding="utf-8")
