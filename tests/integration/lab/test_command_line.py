"""`aiinfra lab` on a lab that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aiinfra.cli.entry import run
from aiinfra.lab.folders import lab_folder
from aiinfra.lab.lab import Lab
from aiinfra.world import World
from tests.integration.lab.conftest import SMALL
from tests.labs import clusters_of, open_clusters

pytestmark = pytest.mark.lab


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab_servers: Mapping[str, Path]) -> Iterator[Lab]:
    """The lab of `dev.yaml` in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    monkeypatch.setattr("threading.excepthook", lambda *_: None)
    file = tmp_path / "dev.yaml"
    file.write_text("version: v1\n")
    folder = lab_folder(World.real(), "dev", file)
    yield open_clusters(folder, lab_servers, {"dc1": SMALL})
    left = Lab.find(folder)
    if left:
        left.stop()


def test_a_lab_is_shown_broken_mended_and_stopped(dev: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = clusters_of(dev)["dc1"]

    def says(*argv: str) -> str:
        assert run(("lab", *argv)) == 0
        return capsys.readouterr().out

    head, _, row = says("status", "dev").splitlines()
    assert head.startswith("lab of dev: runs, started ")
    assert head.endswith(f", 6 processes, in {dev.folder}")
    assert row.split() == ["dc1", "v1.36.3", cluster["server"], cluster["uid"]]

    assert says("fault", "dev", "image-pull", "--at", "dc1") == "image-pull set at dc1\n"
    assert says("status", "dev").splitlines()[-1].startswith("fault image-pull at dc1, set ")
    assert says("fault", "dev", "image-pull", "--lift") == "image-pull lifted everywhere\n"
    assert dev.faults() == ()

    assert says("stop", "dev") == "stopped the lab of dev: 7 processes, and its folder\n"
    assert not dev.folder.exists()
    assert says("status", "dev") == "dev has no lab on this machine\n"
