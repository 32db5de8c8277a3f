"""A change of any code that a stack runs makes it run again, and a change of other code does not."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from aiinfra.catalog import Catalog, Kind, domains
from aiinfra.engine.code_digest import code_digest
from aiinfra.stack import Inputs, Outputs, StackType

ROOT = Path(__file__).parents[3]
CATALOG = Catalog.installed()
LISTS = {ROOT / "stacks" / "__init__.py", ROOT / "aiinfra" / "domains" / "__init__.py"}
"""They say what is installed, and nothing of what it does."""
each_kind = pytest.mark.parametrize("kind", list(CATALOG))
content = cache(Path.read_bytes)


def file_of(module: str) -> Path | None:
    """The file of a module of ours; a folder of a package that is none has no file."""
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def imports(node: ast.AST) -> Iterator[str]:
    """Every module that a file imports, also where it does so inside a function."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    for child in ast.iter_child_nodes(node):
        yield from imports(child)


def reached(kind: Kind) -> set[Path]:
    """What the program of a kind, and every handler of its domains, may import of ours; and its templates."""
    named = [domains()[name] for name in kind.domains]
    targets = [kind.program, *(t for d in named for t in (*d.resources.values(), d.connections) if t)]
    todo = [target.partition(":")[0] for target in targets]
    seen: set[str] = set()
    files = {path for path in (ROOT / "templates" / kind.kind).rglob("*") if path.is_file()}
    while todo:
        module = todo.pop()
        path = file_of(module) if module.split(".")[0] in ("aiinfra", "stacks") else None
        if module not in seen and path:
            seen.add(module)
            files.add(path)
            todo += [*imports(ast.parse(content(path))), module.rpartition(".")[0]]
    return files - LISTS


def changed(*paths: Path) -> Callable[[Path], bytes]:
    """Reads the tree as it would be with these files changed."""
    return lambda path: content(path) + b"\n" if path in paths else content(path)


def digest(kind: str, *paths: Path, simulated: bool = False) -> str:
    return code_digest(CATALOG[kind], simulated=simulated, read=changed(*paths))


@each_kind
def test_a_change_of_any_file_that_runs_changes_the_digest(kind: str) -> None:
    files, before = reached(CATALOG[kind]), digest(kind)
    assert len(files) > 60
    assert [str(path.relative_to(ROOT)) for path in sorted(files) if digest(kind, path) == before] == []


def test_what_runs_is_found_wherever_it_is_imported() -> None:
    found = {str(path.relative_to(ROOT)) for path in reached(CATALOG["gpu_operator"])}
    assert found >= {
        "templates/gpu_operator/device-plugin.yaml.j2",
        "stacks/nfd/labels.py",
        "aiinfra/domains/kubernetes/charts/gpu_operator/operator_facts.py",
        "aiinfra/domains/kubernetes/diagnosis/pods.py",
        "aiinfra/engine/failure.py",
        "aiinfra/waiting.py",
    }


@each_kind
def test_a_change_of_another_domain_changes_nothing(kind: str) -> None:
    others = [ROOT / "aiinfra" / "domains" / name for name in domains() if name not in CATALOG[kind].domains]
    files = [path for other in others for path in other.rglob("*.py")]
    assert files
    assert digest(kind, *files, simulated=True) == digest(kind, simulated=True)


def test_a_change_of_another_kind_changes_nothing() -> None:
    assert digest("nfd", *(ROOT / "stacks" / "gpu_proof").rglob("*.py")) == digest("nfd")


def test_simulated_servers_count_in_a_lab_alone() -> None:
    server = ROOT / "aiinfra" / "domains" / "vsphere" / "lab" / "server" / "main.go"
    kind = "vsphere_gpu_template"
    assert digest(kind, server) == digest(kind)
    assert digest(kind, server, simulated=True) != digest(kind, simulated=True)


def test_what_is_moved_from_file_to_file_changes_the_digest(tmp_path: Path) -> None:
    kind: Kind = StackType("k", "", Inputs, Outputs, "none:none", sources=(tmp_path,))
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("a")
    two.write_text("b")
    swapped = {one: b"b", two: b"a"}
    plain = code_digest(kind, simulated=False, read=lambda path: path.read_bytes())
    assert code_digest(kind, simulated=False, read=lambda path: swapped.get(path) or path.read_bytes()) != plain


def test_documentation_is_no_code() -> None:
    assert digest("nfd", ROOT / "stacks" / "nfd" / "README.md") == digest("nfd")


def test_a_program_that_is_a_single_module_is_that_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lonely.py").write_text("x = 1\n")
    (tmp_path / "neighbour.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    kind: Kind = StackType("k", "", Inputs, Outputs, "lonely:program")
    read: list[str] = []

    def noting(path: Path) -> bytes:
        read.append(path.name)
        return path.read_bytes()

    code_digest(kind, simulated=False, read=noting)
    assert importlib.util.find_spec("neighbour")
    assert "lonely.py" in read
    assert "neighbour.py" not in read


def test_a_kind_in_a_folder_without_an_init_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("program.py", "spec.py"):
        (tmp_path / "spare" / "kind").mkdir(parents=True, exist_ok=True)
        (tmp_path / "spare" / "kind" / name).write_text("from spare.other.labels import X\n")
    (tmp_path / "spare" / "other").mkdir()
    (tmp_path / "spare" / "other" / "labels.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    kind: Kind = StackType("k", "", Inputs, Outputs, "spare.kind.program:program")
    read: list[str] = []

    def noting(path: Path) -> bytes:
        read.append(path.name)
        return path.read_bytes()

    code_digest(kind, simulated=False, read=noting)
    assert {"program.py", "spec.py", "labels.py"} <= set(read)
