"""URLs of states and key services: what they must look like, and what of them a person may see. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

STATES: Final = ("file", "s3", "gs", "azblob")
"""Schemes of storages that can create an object only where there is none: the environment lock needs that."""
KEY_SERVICES: Final = ("awskms", "gcpkms", "azurekeyvault", "hashivault")
PASSPHRASE: Final = "passphrase"
_SECRET_PARTS = re.compile(r"(?<=://)[^/@]*@|[?#].*")


def redact_url(url: str) -> str:
    """Return the URL without what may be secret in it: user, password and parameters."""
    return _SECRET_PARTS.sub("", url)


def local_folder(url: str, home: Path, base: Path) -> Path | None:
    """Return the folder of a `file://` URL, and None for others. `~` is `home`; a relative path starts at `base`."""
    if not url.startswith("file://"):
        return None
    path = url.removeprefix("file://").partition("?")[0]
    return home / path[1:].lstrip("/") if path == "~" or path.startswith("~/") else base / path


def validate_state_url(url: str) -> str:
    """Return the URL of a state, or "" for none, unchanged. Raises `ValueError` with what is wrong."""
    if url:
        _check(url, STATES, "a bucket", "wants file://, s3://, gs:// or azblob://")
    return url


def validate_seal(seal: str) -> str:
    """Return `passphrase`, or the URL of a key service, unchanged. Raises `ValueError` with what is wrong."""
    if seal != PASSPHRASE:
        _check(seal, KEY_SERVICES, "a key", f"wants {PASSPHRASE} or {', '.join(f'{one}://' for one in KEY_SERVICES)}")
    return seal


def _check(url: str, schemes: tuple[str, ...], what: str, wants: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise ValueError(f"{redact_url(url)!r} is not a URL") from exc
    if parts.scheme not in schemes or not url.startswith(f"{parts.scheme}://"):
        raise ValueError(f"{wants}, got {redact_url(url)!r}")
    if parts.scheme == "file":
        what = "a folder"
    if not (parts.netloc or parts.path.strip("/") or (parts.scheme == "file" and parts.path)):
        raise ValueError(f"{redact_url(url)!r} does not name {what}")
    if parts.scheme in {"s3", "gs", "azblob"} and not parts.netloc:
        raise ValueError(f"{redact_url(url)!r} does not name {what}")
