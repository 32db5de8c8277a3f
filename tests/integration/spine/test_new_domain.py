"""docs/add-a-domain.md: a domain in a package of its own, laid down as it is written, run as it is typed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.integration.spine import readme
from tests.integration.spine.site import Site
from tests.integration.spine.test_new_kind import ROOT, lay_down, run_all

pytestmark = [pytest.mark.engine, pytest.mark.lab]
TEXT = (ROOT / "docs" / "add-a-domain.md").read_text()


@pytest.fixture
def home(make_site: Callable[..., Site], lab_servers: Mapping[str, Path]) -> Site:
    return make_site({"unused": {"kind": "things"}})


def test_a_domain_works_in_every_command_without_a_change_of_aiinfra(home: Site) -> None:
    package = home.folder / "package"
    lay_down(package, TEXT)
    environ = {**home.environ, "PYTHONPATH": str(package / "installed")}
    assert run_all(readme.typed(TEXT), package, environ) == [
        "pip install", "aiinfra validate", "aiinfra plan", "aiinfra render", "aiinfra up", "aiinfra doctor",
        "aiinfra up", "aiinfra destroy", "aiinfra rehearse", "aiinfra lab",
    ]  # fmt: skip


def test_a_domain_works_with_an_installed_wheel(home: Site, tmp_path: Path) -> None:
    """Nothing of the checkout is on the path."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path / "wheel"), str(ROOT)], check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "wheel").glob("aiinfra-*.whl"))) as archive:
        archive.extractall(tmp_path / "site")
    package = home.folder / "package"
    lay_down(package, TEXT)
    run = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        "installed",
        ".",
    ]
    subprocess.run(run, cwd=package, check=True, capture_output=True)
    shutil.rmtree(package / "aiinfra_depot")
    environ = {**home.environ, "PYTHONPATH": f"{tmp_path / 'site'}:{package / 'installed'}"}
    probe = "import sys, aiinfra; from aiinfra.__main__ import main; print(aiinfra.__file__); sys.exit(main())"

    def answer(*words: str) -> str:
        command = [sys.executable, "-c", probe, *words]
        done = subprocess.run(command, cwd=package, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        origin, _, text = done.stdout.partition("\n")
        assert origin.startswith(str(tmp_path / "site"))
        return text

    assert "2 done" in answer("up", "shelf", "--set", "target=lab")
    assert "Nothing left: depot" in answer("destroy", "shelf", "--set", "target=lab", "--yes")


def test_a_change_of_the_domain_s_code_runs_its_stacks_again(home: Site) -> None:
    package = home.folder / "package"
    lay_down(package, TEXT)
    run_all(list(readme.typed(TEXT))[:1], package, home.environ)
    installed = package / "installed"
    environ = {**home.environ, "PYTHONPATH": str(installed)}

    shutil.rmtree(package / "aiinfra_depot")  # what is installed must be what runs

    def up() -> str:
        command = [sys.executable, "-m", "aiinfra", "up", "shelf", "--set", "target=lab"]
        return subprocess.run(
            command, cwd=package, env=environ, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        ).stdout

    assert "2 done" in up()
    assert "2 unchanged" in up()
    client = installed / "aiinfra_depot" / "client.py"
    client.write_text(client.read_text() + "\n# a change\n")
    assert "ran, nothing differed" in up()
    down = [sys.executable, "-m", "aiinfra", "destroy", "shelf", "--set", "target=lab", "--yes"]
    subprocess.run(down, cwd=package, env=environ, check=True, capture_output=True)
