"""Inventory paths as texts: names and short paths made absolute."""

from __future__ import annotations


def absolute(path: str, datacenter: str, kind: str) -> str:
    """Return `/dc1/vm/templates` for `templates` in the folder `kind` of a datacenter; an absolute path as it is."""
    return path.rstrip("/") if path.startswith("/") else f"/{datacenter}/{kind}/{path.rstrip('/')}".rstrip("/")


def below(path: str, datacenter: str, kind: str) -> str:
    """Return `templates` for `/dc1/vm/templates`; a path that is not below the folder `kind` stays as it is."""
    return path.rstrip("/").removeprefix(f"/{datacenter.strip('/')}/{kind}/")
