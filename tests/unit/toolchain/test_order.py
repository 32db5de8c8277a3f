"""Where a program is taken from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.errors import ConfigError, OutsideError
from aiinfra.toolchain import Toolchain
from aiinfra.toolchain.digest import build_digest
from aiinfra.toolchain.inspection import list_tools, mirror
from aiinfra.toolchain.table import GoModule, Platform, Tool
from aiinfra.world import World

Opened = Callable[..., Toolchain]


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\necho 1.0.0\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_what_is_nowhere_is_built_and_then_found_in_the_cache(opened: Opened, world: World) -> None:
    heard: list[str] = []
    built = opened().ensure(["ping", "pong"], heard.append)
    said = {n: subprocess.run([p], capture_output=True, text=True, check=True).stdout for n, p in built.items()}
    assert said == {"ping": "ping 1.0.0\n", "pong": "pong 1.0.0\n"}
    assert heard[0] == "resolving the Go modules of ping, pong (0 s)"
    assert any(line.startswith("building ping, pong: ") for line in heard)
    without_go = replace(world, environ={**world.environ, "PATH": ""})
    assert opened(world=without_go, offline=True).ensure(["pong", "ping"]) == built


def test_the_order_is_folder_wheel_cache(opened: Opened, tmp_path: Path) -> None:
    cached = opened().ensure(["ping"])["ping"]
    assert [(row.name, row.place) for row in list_tools(opened())] == [("ping", "cache"), ("pong", "build")]
    wheel = program(tmp_path / "wheel", "ping")
    assert opened().ensure(["ping"]) == {"ping": wheel}
    named = program(tmp_path / "named", "ping")
    assert opened(directory=named.parent).ensure(["ping"]) == {"ping": named}
    wheel.unlink()
    assert opened().ensure(["ping"]) == {"ping": cached}


def test_the_folder_may_be_named_by_a_variable(opened: Opened, world: World, tmp_path: Path) -> None:
    named = program(tmp_path / "named", "ping")
    with_variable = replace(world, environ={**world.environ, "AIINFRA_TOOLCHAIN": "named"})
    assert opened(world=with_variable).ensure(["ping"]) == {"ping": named}


def test_a_named_folder_must_exist(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(directory=tmp_path / "typo").ensure(["ping"])
    assert str(caught.value) == f"the toolchain folder {tmp_path}/typo does not exist"
    assert caught.value.record.code == "toolchain.directory"
    assert caught.value.record.hint == (
        f"it is named by --toolchain or AIINFRA_TOOLCHAIN; aiinfra toolchain mirror {tmp_path}/typo makes it"
    )
    mirror(opened(directory=tmp_path / "typo"), tmp_path / "typo", lambda text: None)
    assert list(opened(directory=tmp_path / "typo", offline=True).ensure(["ping"])) == ["ping"]


def test_offline_names_all_that_is_missing_and_touches_nothing(opened: Opened, world: World) -> None:
    with pytest.raises(OutsideError) as caught:
        opened(offline=True).ensure(["ping", "pong"])
    assert str(caught.value) == "ping 1.0.0, pong 1.0.0: not on this machine, and --offline forbids to fetch or build"
    assert caught.value.record.code == "toolchain.offline"
    assert caught.value.record.hint == (
        "run `aiinfra toolchain mirror DIR` on a connected machine and name it here with --toolchain DIR"
    )
    assert not world.cache().exists()


def test_a_mirror_serves_another_machine_offline(opened: Opened, world: World, tmp_path: Path) -> None:
    there = mirror(opened(), tmp_path / "mirror", lambda text: None)
    elsewhere = replace(world, environ={"XDG_CACHE_HOME": str(tmp_path / "elsewhere")})
    served = opened(directory=tmp_path / "mirror", offline=True, world=elsewhere).ensure(["ping", "pong"])
    assert list(served.values()) == list(there)
    assert subprocess.run([served["pong"]], capture_output=True, text=True, check=True).stdout == "pong 1.0.0\n"
    assert sorted(p.name for p in (tmp_path / "mirror").iterdir()) == ["ping", "ping.json", "pong", "pong.json"]


def test_a_mirror_of_another_version_is_refused(opened: Opened, tmp_path: Path) -> None:
    copied, _ = mirror(opened(), tmp_path / "mirror", lambda text: None)
    record = json.loads((copied.parent / "ping.json").read_text()) | {"digest": "0123456789ab", "version": "0.9.0"}
    (copied.parent / "ping.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError) as caught:
        opened(directory=copied.parent).ensure(["ping"])
    assert str(caught.value) == f"{copied} was made for another version of aiinfra (0.9.0, 0123456789ab)"
    assert caught.value.record.hint == f"on a connected machine, aiinfra toolchain mirror {copied.parent} makes it anew"
    mirror(opened(directory=copied.parent), copied.parent, lambda text: None)
    assert opened(directory=copied.parent, offline=True).ensure(["ping"]) == {"ping": copied}


@pytest.mark.parametrize("file", ["cmd/ping/main.go", "go.mod", "go.sum", "cmd/ping/new.go"])
def test_a_changed_source_is_another_program(module: GoModule, tools: Mapping[str, Tool], file: str) -> None:
    before = build_digest(tools["ping"], Platform("linux", "amd64"))
    changed = replace(module, folder=module.folder.rename(module.folder.with_name("changed")))
    with (changed.folder / file).open("a") as stream:
        stream.write("// changed\n")
    assert build_digest(replace(tools["ping"], module=changed), Platform("linux", "amd64")) != before


def test_flags_and_platform_make_another_program_and_tests_do_not(module: GoModule, tools: Mapping[str, Tool]) -> None:
    ping, linux = tools["ping"], Platform("linux", "amd64")
    before = build_digest(ping, linux)
    assert build_digest(ping, Platform("linux", "arm64")) != before
    assert build_digest(replace(ping, module=replace(module, flags=("-tags", "x"))), linux) != before
    moved = replace(module, folder=module.folder.rename(module.folder.with_name("moved")))
    (moved.folder / "cmd" / "ping" / "main_test.go").write_text("package main\n")
    (moved.folder / "README.md").write_text("read me\n")
    assert build_digest(replace(ping, module=moved), linux) == before
