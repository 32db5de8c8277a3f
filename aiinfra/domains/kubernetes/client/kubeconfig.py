"""A kubeconfig's text, read as kubectl reads it: what a client needs to reach one cluster (server, trust, login).

The rules are those of client-go v0.36.3: `tools/clientcmd/client_config.go` and `validation.go` for what goes together,
`tools/clientcmd/loader.go` for paths, `transport/round_trippers.go` for impersonation. A field that this client does
not know how to honour is refused by name.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from io import StringIO
from pathlib import Path
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client import impersonation
from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid
from aiinfra.errors import AiinfraError, StepError
from aiinfra.tls_socket import TlsSocket

Entry = Mapping[str, Any]
FLATTEN_HINT: Final = "give it as ${file:PATH}, or make it self-contained: kubectl config view --flatten --minify"
PLUGIN_EXTENSION: Final = "client.authentication.k8s.io/exec"
"""Name of the extension of a cluster that holds what a credential plugin is to know of it."""


@dataclass(frozen=True, slots=True)
class ExecLogin:
    """A credential plugin to run, as `users[].user.exec` of a kubeconfig describes it."""

    api_version: str
    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    install_hint: str = ""
    interactive: str = ""
    """`Never`, `IfAvailable` or `Always`; empty means `IfAvailable`."""
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the plugin is told of the cluster; None unless it asks for it (`provideClusterInfo`)."""


@dataclass(frozen=True, slots=True)
class Access:
    """One context of a kubeconfig, ready to use."""

    server: str
    tls: ssl.SSLContext = field(repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    """Its content is stronger than `token`, and may change at any time."""
    basic: tuple[str, str] | None = field(default=None, repr=False)
    login: ExecLogin | None = None
    proxy: str = ""
    server_name: str = ""
    """The name that the server's certificate must have; empty means the host of `server`."""
    impersonation: Sequence[tuple[str, str]] = ()
    """Headers that say as whom to act; one name may come several times."""


def parse(text: str) -> Access:
    """Read the current context, or the only one. Raises `KubeconfigInvalid`; its message never quotes a value."""
    document = _document(text)
    context = _context(document)
    cluster = _named(document, "clusters", "cluster", str(context.get("cluster", "")))
    user = _named(document, "users", "user", str(context["user"])) if context.get("user") else {}
    server = str(cluster.get("server") or "").rstrip("/")
    if not server.startswith(("https://", "http://")):
        raise KubeconfigInvalid("the kubeconfig's cluster has no server address that starts with https://")
    _check_login(user)
    token_file = _absolute(user, "tokenFile")
    return Access(
        server,
        _tls(cluster, user),
        token=str(user.get("token") or "") or _read(token_file, "tokenFile").decode().strip(),
        token_file=token_file,
        basic=(str(user.get("username") or ""), str(user.get("password") or "")) if _has_password(user) else None,
        login=_exec(cluster, user),
        proxy=str(cluster.get("proxy-url") or ""),
        server_name=str(cluster.get("tls-server-name") or ""),
        impersonation=impersonation.headers(user),
    )


def narrowed(text: str, context: str) -> str:
    """The kubeconfig with `context` alone, as its current one; unchanged when `context` is empty.

    Nobody downstream uses another context by accident. Raises `StepError` `kube.kubeconfig` naming the contexts that
    there are, and never quotes the text.
    """
    if not context:
        return text
    config = _map_to_narrow(text)
    found = find_entry(config, "contexts", context)
    if found is None:
        names = ", ".join(str(entry.get("name")) for entry in config.get("contexts") or ()) or "none"
        raise StepError(f"the kubeconfig has no context {context}", code="kube.kubeconfig", hint=f"it has: {names}")
    inner = found.get("context") or {}
    cluster, user = find_entry(config, "clusters", inner.get("cluster")), find_entry(config, "users", inner.get("user"))
    kept = {"contexts": [found], "clusters": [cluster] if cluster else [], "users": [user] if user else []}
    return dumped({**config, **kept, "current-context": context})


def loaded(text: str, unreadable: AiinfraError) -> Any:
    """The document. Raises `unreadable` when the text is not YAML."""
    if text.startswith("{"):  # JSON, most often: a hundredth of the time
        try:
            return json.loads(text)
        except ValueError:
            pass  # a YAML map in braces
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise unreadable from error


def dumped(config: Entry) -> str:
    """The document as YAML."""
    from ruamel.yaml import YAML

    stream = StringIO()
    YAML(typ="safe").dump(config, stream)
    return stream.getvalue()


def current_context(document: Entry) -> object:
    """The name of the current context, or of the only one; None when there is neither."""
    contexts = document.get("contexts") or []
    return document.get("current-context") or (contexts[0].get("name") if len(contexts) == 1 else None)


def find_entry(document: Entry, list_key: str, name: object) -> Entry | None:
    """The entry of that name in one of the kubeconfig's lists; None when there is none."""
    return next((entry for entry in document.get(list_key) or () if entry.get("name") == name), None)


def add_client_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Use this pair for the connections to come. Raises `ssl.SSLError`.

    OpenSSL reads client keys from files only, so they pass through one that nobody else can open.
    """
    with tempfile.NamedTemporaryFile(prefix="aiinfra-", suffix=".pem") as pem:
        pem.write(certificate + b"\n" + key)
        pem.flush()
        context.load_cert_chain(pem.name)


def _map_to_narrow(text: str) -> Entry:
    config = loaded(text, StepError("the kubeconfig is no YAML", code="kube.kubeconfig"))
    if not isinstance(config, dict):
        raise StepError("the kubeconfig is no map", code="kube.kubeconfig")
    return config


def _document(text: str) -> Entry:
    document = loaded(text, KubeconfigInvalid("the kubeconfig is not readable YAML"))
    if not isinstance(document, dict) or not document.get("clusters"):
        raise KubeconfigInvalid("the kubeconfig names no cluster", hint="give the text of a kubeconfig, not its path")
    return document


def _context(document: Entry) -> Entry:
    current = current_context(document)
    if not current:
        raise KubeconfigInvalid("the kubeconfig has no current-context", hint="kubectl config use-context NAME sets it")
    return _named(document, "contexts", "context", str(current))


def _named(document: Entry, list_key: str, key: str, name: str) -> Entry:
    if (entry := find_entry(document, list_key, name)) is not None:
        return entry.get(key) or {}
    raise KubeconfigInvalid(f"the kubeconfig's {key} {name!r} is not in its {list_key}")


def _bytes(entry: Entry, key: str) -> bytes:
    """The content of `key-data` (base64) or of the file that `key` names; empty when neither is given."""
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(str(data), validate=True)
        except binascii.Error as error:
            raise KubeconfigInvalid(f"{key}-data of the kubeconfig is not base64") from error
    return _read(_absolute(entry, key), key)


def _absolute(entry: Entry, key: str) -> Path | None:
    """The path that `key` names. Relative ones start at the kubeconfig's folder, of which the text knows nothing."""
    if not (given := entry.get(key)):
        return None
    path = Path(str(given)).expanduser()
    if not path.is_absolute():
        raise KubeconfigInvalid(f"{key} of the kubeconfig is the relative path {given}", hint=FLATTEN_HINT)
    return path


def _read(path: Path | None, key: str) -> bytes:
    if path is None:
        return b""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KubeconfigInvalid(f"{key} of the kubeconfig cannot be read: {error.strerror}: {path}") from error


def _tls(cluster: Entry, user: Entry) -> ssl.SSLContext:
    ca = _bytes(cluster, "certificate-authority")
    _refuse_if(ca and cluster.get("insecure-skip-tls-verify"), "insecure-skip-tls-verify and a certificate-authority")
    certificate, key = _bytes(user, "client-certificate"), _bytes(user, "client-key")
    if certificate and not key:
        message = "the kubeconfig's user has a client-certificate and no client-key"
        raise KubeconfigInvalid(message, hint="write client-key or client-key-data beside it")
    try:
        context = ssl.create_default_context(cadata=ca.decode("ascii") if ca else None)
        context.sslsocket_class = TlsSocket
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate:
            add_client_certificate(context, certificate, key)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise KubeconfigInvalid("a certificate or key in the kubeconfig is not valid PEM") from error
    return context


def _check_login(user: Entry) -> None:
    """Refuse what kubectl refuses, and the one way to log in that only kubectl has."""
    _refuse_if(user.get("token") and _has_password(user), "both a token and a username or password")
    _refuse_if(user.get("exec") and user.get("auth-provider"), "both exec and auth-provider")
    if provider := user.get("auth-provider"):
        name = provider.get("name") if isinstance(provider, dict) else provider
        raise KubeconfigInvalid(
            f"the kubeconfig's user logs in by auth-provider {name}, which is not supported",
            hint="use its successor, a credential plugin (exec): gke-gcloud-auth-plugin, kubelogin, kubectl oidc-login",
        )


def _refuse_if(contradiction: object, fields: str) -> None:
    if contradiction:
        message = f"the kubeconfig has {fields} at once, which kubectl refuses too"
        raise KubeconfigInvalid(message, hint="leave one of them out")


def _has_password(user: Entry) -> bool:
    return bool(user.get("username") or user.get("password"))


def _exec(cluster: Entry, user: Entry) -> ExecLogin | None:
    """The credential plugin; None also when the user has a credential of its own, which is stronger."""
    if not (raw := user.get("exec")):
        return None
    own = ("token", "tokenFile", "username", "password", "client-certificate", "client-certificate-data")
    if any(user.get(key) for key in own):
        return None
    for key in ("command", "apiVersion"):
        if not raw.get(key):
            raise KubeconfigInvalid(f"exec of the kubeconfig's user names no {key}")
    command = str(raw["command"])
    if "/" in command and not command.startswith("/"):
        raise KubeconfigInvalid(f"exec.command of the kubeconfig is the relative path {command}", hint=_COMMAND_HINT)
    return ExecLogin(
        str(raw["apiVersion"]),
        command,
        tuple(map(str, raw.get("args") or ())),
        {str(pair["name"]): str(pair.get("value", "")) for pair in raw.get("env") or []},
        install_hint=str(raw.get("installHint") or ""),
        interactive=str(raw.get("interactiveMode") or ""),
        cluster=_cluster_information(cluster) if raw.get("provideClusterInfo") else None,
    )


_COMMAND_HINT: Final = "give the kubeconfig as ${file:PATH}, or write the whole path of the command"


def _cluster_information(cluster: Entry) -> Mapping[str, Any]:
    """`spec.cluster` of an ExecCredential (client-go `pkg/apis/clientauthentication/v1/types.go`)."""
    found = {key: cluster[key] for key in _TOLD_TO_PLUGINS if cluster.get(key)}
    if ca := _bytes(cluster, "certificate-authority"):
        found["certificate-authority-data"] = base64.b64encode(ca).decode()
    if extension := find_entry(cluster, "extensions", PLUGIN_EXTENSION):
        found["config"] = extension.get("extension")
    return found


_TOLD_TO_PLUGINS: Final = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression")
