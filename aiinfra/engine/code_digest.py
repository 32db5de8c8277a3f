"""A hash of the code that a stack's result depends on: when it changes, the stack runs again.

It covers what runs: the part of aiinfra that every program and handler uses, the packages of the domains
that the kind names, the kind's own folder and what it imports from other kinds, and the templates that it renders.
Lists of what is installed (`stacks/__init__.py`, `aiinfra/domains/__init__.py`) are not part of it: another kind or
domain changes no result.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiinfra.catalog import domains_of
from aiinfra.stack import StackType
from aiinfra.templating import templates

Files = dict[str, Path]
"""Paths by a name that does not depend on where the code is installed: `aiinfra/engine/wire.py`."""
Read = Callable[[Path], bytes]

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("engine", "facts", "model", "providers", "report")
MODULES: Final = (
    "__init__",
    "dataclass",
    "disk",
    "domain",
    "errors",
    "fields",
    "stack",
    "templating",
    "tls_socket",
    "waiting",
    "world",
)
KERNEL: Final = (*FOLDERS, *(f"{module}.py" for module in MODULES))
"""What of aiinfra itself programs and handlers of any kind may use, and its version."""
KINDS: Final = "stacks"
LAB: Final = "lab"
_IMPORT: Final = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<package>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#]+)"
    rb"|import[ \t]+(?P<modules>[^\n#]+))",
    re.MULTILINE,
)


def code_digest(kind: StackType[Any, Any], *, simulated: bool, read: Read = Path.read_bytes) -> str:
    """Return the digest of a kind; `simulated` for a lab, where the code of simulated worlds counts too.

    Each part is read once in a process, however many stacks are of the kind. Raises `ConfigError` when a domain of the
    kind is not installed.
    """
    parts = [
        kernel_digest(read),
        *(package_digest(p, simulated, read) for d in domains_of([kind]).values() for p in d.packages),
        _kind_digest(kind.kind, kind.program, tuple(kind.sources), read),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def kernel_digest(read: Read = Path.read_bytes) -> str:
    """Return the digest of what every kind uses."""
    return _digest({n: p for part in KERNEL for n, p in _files_below(ROOT / part, f"aiinfra/{part}").items()}, read)


@cache
def package_digest(package: str, simulated: bool, read: Read = Path.read_bytes) -> str:
    """Return the digest of a domain's package; its folder `lab` counts only for a lab."""
    name = package.replace(".", "/")
    found = _files_below(_module_file(package).parent, name)
    skipped = "" if simulated else f"{name}/{LAB}/"
    return _digest({n: p for n, p in found.items() if not (skipped and n.startswith(skipped))}, read)


@cache
def _kind_digest(kind: str, program: str, sources: tuple[Path, ...], read: Read) -> str:
    """Return the digest of a kind's folder, what that imports, its templates and its `sources`."""
    found = _program_files(program, read) | _files_below(templates() / kind, f"templates/{kind}")
    for number, path in enumerate(sources):
        found |= _files_below(path, f"sources/{number}")
    return _digest(found, read)


def _program_files(program: str, read: Read) -> Files:
    """Return the files of a program's folder and of all that it imports from other kinds or its own package."""
    module = program.partition(":")[0]
    own, top = module.rpartition(".")[0], module.partition(".")[0]
    found: Files = {}
    todo, seen = [module], {module}
    while todo:
        added = {name: path for name, path in _module_files(todo.pop(), own).items() if name not in found}
        found |= added
        for name, path in added.items():
            for other in _imported(name, read(path)) if name.endswith(".py") else ():
                if other not in seen and other.partition(".")[0] in {top, KINDS}:
                    seen.add(other)
                    todo.append(other)
    return found


@cache
def _module_files(module: str, own: str) -> Files:
    """Return the files of a module's folder; only its own file for a module above the kind's own folder."""
    try:
        path = _module_file(module)
    except LookupError:  # a name that is imported from a module and is none itself
        return {}
    is_package = path.name == "__init__.py"
    package = module if is_package else module.rpartition(".")[0]
    if not package or (own != package and f"{own}.".startswith(f"{package}.")):
        return {} if is_package else {f"{module.replace('.', '/')}.py": path}
    return _files_below(path.parent, package.replace(".", "/"))


@cache
def _files_below(path: Path, name: str) -> Files:
    return dict(_below(path, name))


def _module_file(module: str) -> Path:
    """Return the file of a module, found without importing any. Raises `LookupError` when there is none."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        raise LookupError(module)
    if spec.submodule_search_locations is None and not rest:
        return Path(spec.origin or "")
    for location in spec.submodule_search_locations or ():
        base = Path(location, *rest)
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.is_file():
                return path
    raise LookupError(module)


def _imported(name: str, text: bytes) -> Iterator[str]:
    """Yield the modules that a file may import, as dotted names; names imported from them may be modules too."""
    here = name.removesuffix(".py").split("/")
    for found in _IMPORT.finditer(text):
        if modules := found["modules"]:
            yield from (part.split()[0] for part in modules.decode().split(",") if part.strip())
            continue
        named = found["package"].decode()
        up = len(named) - len(named.lstrip("."))
        package = ".".join([*here[:-up], *filter(None, [named[up:]])]) if up else named
        yield package
        names = found["names"].decode().strip("()").split(",")
        yield from (f"{package}.{part.split()[0]}" for part in names if part.strip() and not part.startswith("#"))


def _below(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Yield a file, or every file of a folder, with its name, without documentation and hidden or cached files."""
    if path.is_file():
        yield name, path
    elif path.is_dir():
        for part in sorted(path.iterdir()):
            if not part.name.startswith((".", "__pycache__")) and part.suffix != ".md":
                yield from _below(part, f"{name}/{part.name}")


def _digest(files: Mapping[str, Path], read: Read) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = read(path)
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
