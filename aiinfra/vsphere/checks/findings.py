"""One way to say each level. A fact that could not be read is `unknown`, never `ok`."""

from __future__ import annotations

from aiinfra.stack import Finding
from aiinfra.vsphere.readings import Cluster, Host, Site


def ok(code: str, about: str, read: str, needed: str, source: str = "") -> Finding:
    return Finding("ok", about, read, needed, "", source, code)


def error(code: str, about: str, read: str, needed: str, hint: str, *, source: str = "") -> Finding:
    return Finding("error", about, read, needed, hint, source, code)


def warning(code: str, about: str, read: str, needed: str, hint: str, *, source: str = "") -> Finding:
    return Finding("warning", about, read, needed, hint, source, code)


def unknown(code: str, of: Host | Cluster | Site, about: str, field: str, needed: str, *, hint: str = "") -> Finding:
    """`field` of `of` is None; the reason is what was noted when it was read."""
    why = of.unread.get(field, "vCenter does not tell it")
    return Finding("unknown", about, why, needed, hint or "read it on the host", "", code)
