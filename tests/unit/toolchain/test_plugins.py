"""Official Pulumi plugins from a folder and from a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aiinfra.errors import OutsideError
from aiinfra.toolchain.plugins import Plugin, Plugins
from aiinfra.toolchain.record import Record
from aiinfra.toolchain.table import Platform
from aiinfra.world import World
from tests.unit.site import a_world

PLUGIN = Plugin("kubernetes", "4.34.2")
ARCHIVE = PLUGIN.archive(Platform.here())
SCRIPT = b"#!/bin/sh\necho plugin\n"


def tarball(name: str = "pulumi-resource-kubernetes", content: bytes = SCRIPT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size = 0o755, len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / ARCHIVE).write_bytes(tarball())
    return folder


@pytest.fixture
def server(published: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(published)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def test_the_archive_has_the_name_that_the_vendor_gives_it() -> None:
    assert PLUGIN.archive(Platform("linux", "amd64")) == "pulumi-resource-kubernetes-v4.34.2-linux-amd64.tar.gz"


def test_a_plugin_lies_where_pulumi_looks_for_it_with_its_checksums_recorded(
    world: World, server: str, published: Path
) -> None:
    plugins, heard = Plugins(world), list[str]()
    assert plugins.missing([PLUGIN]) == [PLUGIN]
    (path,) = plugins.install([PLUGIN], server, heard.append)
    assert path == world.cache() / "pulumi/plugins/resource-kubernetes-v4.34.2/pulumi-resource-kubernetes"
    assert path.read_bytes() == SCRIPT
    assert path.stat().st_mode & 0o777 == 0o755
    assert heard[:1] == [f"fetching the Pulumi plugin kubernetes 4.34.2 from {server}/{ARCHIVE}"]
    record = Record.read(path)
    assert record is not None
    assert (record.digest, record.sha256) == (sha256(published / ARCHIVE), hashlib.sha256(SCRIPT).hexdigest())
    assert record.origin == f"{server}/{ARCHIVE}"
    assert plugins.install([PLUGIN], "http://127.0.0.1:1", heard.append) == [path]


@pytest.mark.parametrize("from_server", [True, False])
def test_an_archive_that_is_not_what_its_checksum_says_is_not_installed(
    world: World, published: Path, server: str, from_server: bool
) -> None:
    (published / f"{ARCHIVE}.sha256").write_text(f"{'0' * 64}  {ARCHIVE}\n")
    plugins = Plugins(world)
    with pytest.raises(OutsideError, match=f"has checksum .*, and {'0' * 64} stands beside it") as caught:
        plugins.install([PLUGIN], server if from_server else published, print)
    assert (caught.value.record.code, caught.value.exit_code) == ("toolchain.checksum", 3)
    assert plugins.missing([PLUGIN]) == [PLUGIN]


def test_an_archive_that_cannot_be_had_or_is_none_is_named(world: World, published: Path, server: str) -> None:
    plugins = Plugins(world)
    with pytest.raises(OutsideError, match=r"kubernetes 9\.9\.9 cannot be had: .*404"):
        plugins.install([Plugin("kubernetes", "9.9.9")], server, print)
    (published / ARCHIVE).write_bytes(b"<html>please log in</html>")
    with pytest.raises(OutsideError, match="is no archive of a plugin") as caught:
        plugins.install([PLUGIN], published, print)
    assert caught.value.record.code == "toolchain.plugin"
    (published / ARCHIVE).write_bytes(tarball("another"))
    with pytest.raises(OutsideError, match="holds no pulumi-resource-kubernetes"):
        plugins.install([PLUGIN], published, print)
    assert plugins.missing([PLUGIN]) == [PLUGIN]


def test_an_archive_that_reaches_outside_its_folder_is_refused(world: World, published: Path) -> None:
    (published / ARCHIVE).write_bytes(tarball("../../evil"))
    with pytest.raises(OutsideError, match="is no archive of a plugin"):
        Plugins(world).install([PLUGIN], published, print)
    assert not list(world.cache().rglob("evil"))


def test_what_a_mirror_holds_serves_a_run_without_network(
    world: World, server: str, published: Path, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    assert Plugins(world).copy([PLUGIN], server, mirror, print) == [mirror / ARCHIVE]
    assert (mirror / f"{ARCHIVE}.sha256").read_text() == f"{sha256(published / ARCHIVE)}  {ARCHIVE}\n"
    assert Plugins(world).copy([PLUGIN], "http://127.0.0.1:1", mirror, print) == [mirror / ARCHIVE]
    plugins = Plugins(world, mirror)
    plugins.require([PLUGIN], "dc1", print)
    assert plugins.missing([PLUGIN]) == []


def test_a_run_says_what_is_missing_and_the_command_that_brings_it(world: World, tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as caught:
        Plugins(world, tmp_path).require([PLUGIN], "dc1", print)
    record = caught.value.record
    assert (record.code, record.where, caught.value.exit_code) == ("toolchain.plugin", "dc1", 3)
    assert record.message == "the Pulumi plugin kubernetes 4.34.2 is not on this machine"
    command = "aiinfra toolchain install dc1"
    assert record.hint == f"{command}; without network: {command} --from FOLDER, where {ARCHIVE} lies"
    assert not world.cache().exists()
