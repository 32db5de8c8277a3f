"""A kubeconfig that came from a file, made independent of its folder.

kubectl takes the relative paths in a kubeconfig from that file's folder (client-go v0.36.3
`tools/clientcmd/loader.go`, `ResolveLocalPaths` and `GetAuthInfoFileReferences`). Only the text travels from here on:
to our client, to the official provider, into the state. So what a relative path names is embedded, as
`kubectl config view --flatten` does it, or, where kubeconfigs know only a path, becomes an absolute one.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid
from aiinfra.domains.kubernetes.client.kubeconfig import current_context, dumped, find_entry, loaded

_FILES: Final = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key")}
"""Fields that name a file and have a twin `…-data` for its content."""


def flattened(text: str, folder: Path, context: str = "") -> str:
    """The kubeconfig without paths that are relative to `folder`; the text itself when there are none.

    Absolute paths stay: what lies there may be renewed in its place. What is no kubeconfig is given back as it is, for
    the reader to refuse. Raises `KubeconfigInvalid` for a file that cannot be read, when `context` (or the current one)
    needs it.
    """
    config = _config(text)
    if config is None:
        return text
    used = (find_entry(config, "contexts", context or current_context(config)) or {}).get("context") or {}
    changed = False
    for list_key, key in (("clusters", "cluster"), ("users", "user")):
        for entry in config.get(list_key) or ():
            inner = entry.get(key)
            if isinstance(inner, dict):
                changed |= _flatten(inner, folder, key, used=entry.get("name") == used.get(key))
    return dumped(config) if changed else text


def _config(text: str) -> dict[str, Any] | None:
    """None when it cannot be walked through."""
    try:
        config = loaded(text, KubeconfigInvalid("the kubeconfig is not readable YAML"))
    except KubeconfigInvalid:
        return None
    if not isinstance(config, dict):
        return None
    lists = {key: config.get(key) or [] for key in ("clusters", "users", "contexts")}
    if not all(isinstance(one, list) and all(isinstance(entry, dict) for entry in one) for one in lists.values()):
        return None
    return config if all(isinstance(one.get("context") or {}, dict) for one in lists["contexts"]) else None


def _flatten(inner: dict[str, Any], folder: Path, kind: str, *, used: bool) -> bool:
    """Change an entry in place; whether there was anything to change."""
    changed = False
    for key in _FILES[kind]:
        if not (path := _relative(inner.get(key), folder)):
            continue
        changed = True
        content = b"" if inner.get(f"{key}-data") else _read(path, key, needed=used)
        if content is None:
            inner[key] = str(path)
            continue
        if content:
            inner[f"{key}-data"] = base64.b64encode(content).decode()
        del inner[key]
    if path := _relative(inner.get("tokenFile"), folder):
        inner["tokenFile"], changed = str(path), True
    plugin = inner.get("exec")
    command = plugin.get("command") if isinstance(plugin, dict) else None
    if "/" in str(command) and (path := _relative(command, folder)):
        inner["exec"]["command"], changed = str(path), True
    return changed


def _relative(given: object, folder: Path) -> Path | None:
    """Where a relative path leads to; None for any other value."""
    if not isinstance(given, str) or not given or Path(given).expanduser().is_absolute():
        return None
    return folder.absolute() / given


def _read(path: Path, key: str, *, needed: bool) -> bytes | None:
    """None when it cannot be read and is not needed."""
    try:
        return path.read_bytes()
    except OSError as error:
        if not needed:
            return None
        raise KubeconfigInvalid(f"{key} of the kubeconfig cannot be read: {error.strerror}: {path}") from error
