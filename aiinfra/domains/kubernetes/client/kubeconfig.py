"""A kubeconfig's text: read into what a client needs (server, trust, login), or narrowed to one context."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid
from aiinfra.errors import AiinfraError, StepError

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExecLogin:
    """A credential plugin to run, as `users[].user.exec` of a kubeconfig describes it."""

    api_version: str
    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """One context of a kubeconfig, ready to use."""

    server: str
    tls: ssl.SSLContext = field(repr=False)
    token: str = field(default="", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    login: ExecLogin | None = None
    proxy: str = ""


def parse(text: str) -> Access:
    """Read the current context, or the only one. Raises `KubeconfigInvalid`; its message never quotes a value."""
    document = _document(text)
    context = _context(document)
    cluster = _named(document, "clusters", "cluster", str(context.get("cluster", "")))
    user = _named(document, "users", "user", str(context["user"])) if context.get("user") else {}
    server = str(cluster.get("server") or "").rstrip("/")
    if not server.startswith(("https://", "http://")):
        raise KubeconfigInvalid("the kubeconfig's cluster has no server address that starts with https://")
    return Access(
        server,
        _tls(cluster, user),
        token=_token(user),
        basic=(str(user["username"]), str(user.get("password", ""))) if user.get("username") else None,
        login=_exec(user),
        proxy=str(cluster.get("proxy-url") or ""),
    )


def narrowed(text: str, context: str) -> str:
    """The kubeconfig with `context` alone, as its current one; unchanged when `context` is empty.

    Nobody downstream uses another context by accident. Raises `StepError` `kube.kubeconfig` naming the contexts that
    there are, and never quotes the text.
    """
    if not context:
        return text
    config = _map_to_narrow(text)
    found = _entry(config, "contexts", context)
    if found is None:
        names = ", ".join(str(entry.get("name")) for entry in config.get("contexts") or ()) or "none"
        raise StepError(f"the kubeconfig has no context {context}", code="kube.kubeconfig", hint=f"it has: {names}")
    inner = found.get("context") or {}
    cluster, user = _entry(config, "clusters", inner.get("cluster")), _entry(config, "users", inner.get("user"))
    kept = {"contexts": [found], "clusters": [cluster] if cluster else [], "users": [user] if user else []}
    return _dumped({**config, **kept, "current-context": context})


def _loaded(text: str, unreadable: AiinfraError) -> Any:
    """The document. Raises `unreadable` when the text is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise unreadable from error


def _map_to_narrow(text: str) -> Entry:
    config = _loaded(text, StepError("the kubeconfig is no YAML", code="kube.kubeconfig"))
    if not isinstance(config, dict):
        raise StepError("the kubeconfig is no map", code="kube.kubeconfig")
    return config


def _dumped(config: Entry) -> str:
    from ruamel.yaml import YAML

    stream = StringIO()
    YAML(typ="safe").dump(config, stream)
    return stream.getvalue()


def _document(text: str) -> Entry:
    document = _loaded(text, KubeconfigInvalid("the kubeconfig is not readable YAML"))
    if not isinstance(document, dict) or not document.get("clusters"):
        raise KubeconfigInvalid("the kubeconfig names no cluster", hint="give the text of a kubeconfig, not its path")
    return document


def _context(document: Entry) -> Entry:
    contexts = document.get("contexts") or []
    current = document.get("current-context")
    if not current and len(contexts) == 1:
        current = contexts[0].get("name")
    if not current:
        raise KubeconfigInvalid("the kubeconfig has no current-context", hint="kubectl config use-context NAME sets it")
    return _named(document, "contexts", "context", str(current))


def _named(document: Entry, list_key: str, key: str, name: str) -> Entry:
    if (entry := _entry(document, list_key, name)) is not None:
        return entry.get(key) or {}
    raise KubeconfigInvalid(f"the kubeconfig's {key} {name!r} is not in its {list_key}")


def _entry(document: Entry, list_key: str, name: object) -> Entry | None:
    return next((entry for entry in document.get(list_key) or () if entry.get("name") == name), None)


def _bytes(entry: Entry, key: str) -> bytes:
    """The content of `key-data` (base64) or of the file that `key` names; empty when neither is given."""
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(str(data), validate=True)
        except binascii.Error as error:
            raise KubeconfigInvalid(f"{key}-data of the kubeconfig is not base64") from error
    return _file(entry, key)


def _file(entry: Entry, key: str) -> bytes:
    if not (path := entry.get(key)):
        return b""
    try:
        return Path(str(path)).expanduser().read_bytes()
    except OSError as error:
        raise KubeconfigInvalid(f"{key} of the kubeconfig cannot be read: {error.strerror}: {path}") from error


def _tls(cluster: Entry, user: Entry) -> ssl.SSLContext:
    ca = _bytes(cluster, "certificate-authority")
    try:
        context = ssl.create_default_context(cadata=ca.decode("ascii") if ca else None)
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate := _bytes(user, "client-certificate"):
            _add_client_certificate(context, certificate, _bytes(user, "client-key"))
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise KubeconfigInvalid("a certificate or key in the kubeconfig is not valid PEM") from error
    return context


def _add_client_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL reads client keys from files only, so they pass through one that nobody else can open."""
    with tempfile.NamedTemporaryFile(prefix="aiinfra-", suffix=".pem") as pem:
        pem.write(certificate + b"\n" + key)
        pem.flush()
        context.load_cert_chain(pem.name)


def _token(user: Entry) -> str:
    if token := user.get("token"):
        return str(token)
    return _file(user, "tokenFile").decode().strip()


def _exec(user: Entry) -> ExecLogin | None:
    if not (raw := user.get("exec")):
        return None
    env = {str(pair["name"]): str(pair["value"]) for pair in raw.get("env") or []}
    return ExecLogin(str(raw["apiVersion"]), str(raw["command"]), tuple(map(str, raw.get("args") or ())), env)
