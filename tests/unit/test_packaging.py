"""The wheel carries all that the commands need outside the checkout, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("aiinfra-*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def tracked(*folders: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout to compare with")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_wheel_has_every_file_of_the_packages_but_go_tests(names: frozenset[str]) -> None:
    wanted = [name for name in tracked("aiinfra", "stacks") if not name.endswith("_test.go")]
    assert [name for name in wanted if name not in names] == []


def test_the_wheel_has_every_example_and_template(names: frozenset[str]) -> None:
    wanted = [f"stacks/_data/{name}" for name in tracked("examples", "templates")]
    assert "stacks/_data/examples/lab.yaml" in wanted
    assert [name for name in wanted if name not in names] == []


def test_the_wheel_has_what_the_toolchain_builds_from(names: frozenset[str]) -> None:
    parts = (
        "engine/host",
        "domains/kubernetes/charts/helm",
        "domains/kubernetes/lab/servers",
        "domains/vsphere/lab/server",
    )
    built_from = {f"aiinfra/{part}/{file}" for part in parts for file in ("go.mod", "go.sum")}
    assert built_from | {"aiinfra/engine/host/main.go", "aiinfra/domains/vsphere/lab/server/main.go"} <= names


def test_the_wheel_has_no_tests_and_nothing_beside_the_two_packages(names: frozenset[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in names} == {"aiinfra", "stacks"}
    assert [name for name in names if name.endswith(("_test.go", ".pyc"))] == []


def test_the_installed_wheel_answers_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    environ = {"PYTHONPATH": str(unpacked), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def answer(*arguments: str) -> str:
        probe = "import sys, aiinfra; from aiinfra.__main__ import main; print(aiinfra.__file__); sys.exit(main())"
        command = [sys.executable, "-c", probe, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
        origin, _, text = done.stdout.partition("\n")
        assert origin.startswith(str(unpacked))
        return text

    assert answer("--version") == "aiinfra 0.1.0\n"
    assert "gpu_operator" in answer("kinds")
    assert "gpu_operator" in answer("plan", "lab")
