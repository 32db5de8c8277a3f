"""Official plugins: fetched once from where they lie, then used; a missing one is said at once."""

from __future__ import annotations

import io
import platform
import sys
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pulumi
import pytest

from aiinfra.toolchain.plugins import Plugin, Plugins
from aiinfra.world import World
from tests.conftest import KINDS
from tests.integration.engine.site import Site

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("other_kinds")]
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
FILE = f"/pulumi-resource-aiinfra-v1.2.3-{sys.platform}-{MACHINE}.tar.gz"
SCRIPT = f"#!/bin/sh\nPYTHONPATH={KINDS} exec {sys.executable} -c 'from aiinfra.providers.plugin import main; main()' \"$@\"\n"


def tarball() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("pulumi-resource-aiinfra")
        entry.mode, entry.size = 0o755, len(SCRIPT)
        archive.addfile(entry, io.BytesIO(SCRIPT.encode()))
    return packed.getvalue()


class Downloads(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = tarball() if self.path == FILE else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def downloads() -> Iterator[ThreadingHTTPServer]:
    Downloads.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Downloads)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def program() -> None:
    from aiinfra_test_kinds.resources import Thing

    pulumi.export("id", Thing("thing", {"size": 1}).id)


def test_a_plugin_that_was_installed_serves(site: Site, downloads: ThreadingHTTPServer) -> None:
    environ = {"HOME": str(site.folder), "XDG_CACHE_HOME": str(site.folder / "cache")}
    plugins = Plugins(World(environ, lambda: datetime.now(UTC), site.folder, interactive=False))
    plugins.install([Plugin("aiinfra", "1.2.3")], f"http://127.0.0.1:{downloads.server_port}", print)
    assert Downloads.asked == [FILE, f"{FILE}.sha256"]
    site.start(official_plugins=True, providers={}, pulumi_home=site.folder / "cache" / "aiinfra" / "pulumi")
    made = site.up("one", program)
    assert (made.error, made.changes) == ("", {"create": 2})
    assert site.destroy("one").changes == {"delete": 2}


def test_a_missing_plugin_is_not_fetched_inside_an_operation(site: Site) -> None:
    site.start(official_plugins=True)
    failed = site.up("one", program)
    assert failed.code == "failed"
    assert "aiinfra" in failed.error
    assert "plugin" in failed.error
