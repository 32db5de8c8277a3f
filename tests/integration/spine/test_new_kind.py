"""README, "Add a kind in ten minutes": laid down as it is written, run as it is typed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from tests.integration.spine import readme
from tests.integration.spine.readme import Typed, agrees
from tests.integration.spine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.lab]
ROOT = Path(__file__).parents[3]
TITLE, ELSEWHERE = "Add a kind in ten minutes", "### In a package of your own"
PROGRAMS = {
    "aiinfra": [sys.executable, "-m", "aiinfra"],
    "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
    "pip": [sys.executable, "-m", "pip", "--disable-pip-version-check"],
}
BY_HAND = {"install": ["install", "--no-deps", "--no-build-isolation", "--target", "installed"]}
"""`pip install` without a network: what it would fetch is here."""


@pytest.fixture
def home(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Site:
    return make_site({"unused": {"kind": "things"}})


def lay_down(folder: Path, text: str, *, named: tuple[str, str] = ("", "")) -> None:
    for path, content in readme.files(text):
        target = folder / path.replace("stacks/note", "aiinfra_note") if named[0] else folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content.replace(*named) if named[0] else content)


def run_all(commands: Iterable[Typed], folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Run what is typed; returns the programs and verbs that ran. Fails where another thing is printed than shown."""
    ran = []
    for command in commands:
        program, *words = command.words
        words = [*BY_HAND.get(words[0], [words[0]]), *words[1:]]
        done = subprocess.run(
            [*PROGRAMS[program], *words], cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{command.words}\n{done.stdout}{done.stderr}"
        assert agrees(done.stdout, command.prints), f"{command.words} says\n{done.stdout}instead of\n{command.prints}"
        ran.append(" ".join(command.words[:2]))
    return ran


def test_in_a_checkout(home: Site) -> None:
    text = readme.section(TITLE).partition(ELSEWHERE)[0]
    checkout = home.folder / "checkout"
    for name in ("aiinfra", "stacks", "templates", "examples", "tests"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    lay_down(checkout, text)
    catalog = checkout / "stacks" / "__init__.py"
    catalog.write_text(catalog.read_text().rstrip().removesuffix(")") + '    "note",\n)\n')

    assert run_all(readme.typed(text), checkout, {**home.environ, "PYTHONPATH": ""}) == [
        "aiinfra kinds", "aiinfra validate", "aiinfra render", "aiinfra up", "aiinfra outputs", "aiinfra destroy",
        "pytest tests/unit",
    ]  # fmt: skip
    assert (checkout / "tests/golden/plans/notes.txt").exists()
    assert (checkout / "tests/golden/rendered/notes/memo/01-configmap-memo.yaml").exists()


def test_in_a_package_of_its_own(home: Site) -> None:
    text = readme.section(TITLE)
    package = home.folder / "package"
    lay_down(package, text, named=("stacks.note", "aiinfra_note"))
    shutil.move(package / "examples" / "notes.yaml", package)
    environ = {**home.environ, "PYTHONPATH": str(package / "installed")}

    assert run_all(readme.typed(text.partition(ELSEWHERE)[2]), package, environ) == [
        "pip install", "aiinfra kinds", "aiinfra render",
    ]  # fmt: skip
