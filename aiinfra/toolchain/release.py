"""Official releases: download one file, keep it only if its checksum is the pinned one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from aiinfra.errors import OutsideError
from aiinfra.toolchain.command import Pace
from aiinfra.toolchain.table import Download, Tool

CONNECT_LIMIT = 10.0
"""Seconds until an unreachable host is given up."""
_CHUNK = 1 << 20


class Unreachable(Exception):
    """The release could not be downloaded; the tool can still be built."""


def download(tool: Tool, release: Download, folder: Path, say: Callable[[str], None]) -> Path:
    """Download `release` into `folder`. Raises Unreachable, and OutsideError `toolchain.checksum`."""
    target = folder / tool.name
    digest = stream(release.url, target, f"{tool.name} {tool.version}", say)
    if digest != release.sha256:
        target.unlink()
        raise OutsideError(
            f"{release.url} has checksum {digest}, and {release.sha256} is pinned for {tool.name} {tool.version}",
            code="toolchain.checksum",
            hint="something between here and the publisher changes downloads; nothing was installed",
        )
    return target


def stream(url: str, target: Path, what: str, say: Callable[[str], None]) -> str:
    """Write what lies at `url` to `target` and return its sha256. Raises `Unreachable`."""
    try:
        return _stream(url, target, what, say)
    except httpx.HTTPError as error:
        raise Unreachable(f"{url}: {error}") from error


def small_text(url: str) -> str:
    """Return the text at `url`; empty when there is none. Raises `Unreachable` when nothing answers."""
    try:
        answer = httpx.get(url, follow_redirects=True, timeout=httpx.Timeout(60.0, connect=CONNECT_LIMIT))
    except httpx.HTTPError as error:
        raise Unreachable(f"{url}: {error}") from error
    return answer.text if answer.is_success else ""


def _stream(url: str, target: Path, what: str, say: Callable[[str], None]) -> str:
    timeout = httpx.Timeout(60.0, connect=CONNECT_LIMIT)
    seen, total, pace, started = hashlib.sha256(), 0, Pace(say), time.monotonic()
    with (
        httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as answer,
        target.open("wb") as file,
    ):
        answer.raise_for_status()
        size = int(answer.headers.get("content-length", 0)) >> 20
        for chunk in answer.iter_bytes(_CHUNK):
            file.write(chunk)
            seen.update(chunk)
            total += len(chunk)
            so_far = f"{total >> 20} of {size} MB" if size else f"{total >> 20} MB"
            pace(f"downloading {what}: {so_far}", time.monotonic() - started)
    return seen.hexdigest()
