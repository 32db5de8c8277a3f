"""How a client proves who it is: a token, a password, or a credential plugin whose credentials expire.

Plugins are run as client-go v0.36.3 runs them (`plugin/pkg/client/auth/exec/exec.go`), but never with a terminal:
stacks run side by side, and a prompt in the middle of their lines could not be answered.
"""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.client.errors import Refused
from aiinfra.domains.kubernetes.client.kubeconfig import Access, ExecLogin, add_client_certificate

PLUGIN_SECONDS = 60
GROUP: Final = "client.authentication.k8s.io"
API_VERSIONS: Final = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
MODES: Final = ("", "Never", "IfAvailable", "Always")
MODE_REQUIRED: Final = "client.authentication.k8s.io/v1"
"""v1beta1 has a default (client-go tools/clientcmd/api/v1/defaults.go, SetDefaults_ExecConfig), v1 has none."""
SHOWN_LINES, SHOWN_CHARACTERS = 3, 400
"""How much of what a plugin wrote on its standard error is quoted."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a credential plugin gave."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: datetime | None = None

    @property
    def expired(self) -> bool:
        return self.expires is not None and datetime.now(UTC) > self.expires


class Login:
    """Request headers of one `Access`; runs its credential plugin when first needed, and again after a refusal."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._credential: Credential | None = None

    def headers(self) -> Mapping[str, str]:
        """To be asked before a connection is made: a plugin may give the certificate that it is made with."""
        if self._access.basic:
            pair = ":".join(self._access.basic).encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        token = self._from_file() or self._access.token or self._from_plugin()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def renew(self) -> bool:
        """Forget a plugin's credential; False when there is no plugin, so that asking again is of no use."""
        with self._lock:
            self._credential = None
        return self._access.login is not None

    def _from_file(self) -> str:
        """The token that lies in its file now: such files are renewed in their place."""
        with suppress(OSError, UnicodeDecodeError):
            return self._access.token_file.read_text().strip() if self._access.token_file else ""
        return ""

    def _from_plugin(self) -> str:
        if self._access.login is None:
            return ""
        with self._lock:
            if self._credential is None or self._credential.expired:
                self._credential = _run(self._access.login)
                self._use_certificate(self._access.login, self._credential)
            return self._credential.token

    def _use_certificate(self, login: ExecLogin, credential: Credential) -> None:
        if not credential.certificate:
            return
        try:
            add_client_certificate(self._access.tls, credential.certificate.encode(), credential.key.encode())
        except ssl.SSLError as error:
            message = (
                f"the credential plugin {login.command} of the kubeconfig gave a certificate that is not valid PEM"
            )
            raise Refused(message) from error


def _run(login: ExecLogin) -> Credential:
    """What a credential plugin prints. Its standard output is never quoted, as it may hold the token."""
    program = _program(login)
    spec = {"interactive": False, **({} if login.cluster is None else {"cluster": login.cluster})}
    info = {"apiVersion": login.api_version, "kind": "ExecCredential", "spec": spec}
    given = {**login.env, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    command = ["env", *(f"{key}={value}" for key, value in given.items()), program, *login.args]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PLUGIN_SECONDS, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(login, f": no answer within {PLUGIN_SECONDS} s", transient=True) from error
    except subprocess.CalledProcessError as error:
        raise _failure(login, _quoted(error.stderr)) from error
    except OSError as error:
        raise _failure(login, f": {error.strerror}") from error
    return _credential(login, done.stdout)


def _program(login: ExecLogin) -> str:
    """The path of a plugin. Raises `Refused` for one that cannot be run."""
    plugin = f"the credential plugin {login.command} of the kubeconfig"
    if login.api_version not in API_VERSIONS:
        message = f"{plugin} has the apiVersion {login.api_version}, which kubectl no longer takes either"
        raise Refused(message, hint=f"write {' or '.join(API_VERSIONS)} into exec.apiVersion")
    if login.interactive not in MODES:
        hint = f"write {', '.join(filter(None, MODES))} there"
        raise Refused(f"{plugin} has the unknown interactiveMode {login.interactive}", hint=hint)
    if not login.interactive and login.api_version == MODE_REQUIRED:
        message = f"{plugin} has no interactiveMode, which {MODE_REQUIRED} needs for kubectl too"
        raise Refused(message, hint="write interactiveMode: IfAvailable into exec, or Never")
    if login.interactive == "Always":
        hint = "log in by hand first and set interactiveMode to IfAvailable, or use another user of the kubeconfig"
        raise Refused(f"{plugin} needs a terminal to ask on (interactiveMode: Always)", hint=hint)
    if (program := shutil.which(login.command)) is None:
        raise Refused(f"{plugin} is not installed", hint=_one_line(login.install_hint) or f"install {login.command}")
    return program


def _credential(login: ExecLogin, printed: bytes) -> Credential:
    try:
        raw = json.loads(printed)
        status: Mapping[str, Any] = raw["status"]
        answered = str(raw.get("apiVersion") or login.api_version)
        given = Credential(
            str(status.get("token") or ""),
            str(status.get("clientCertificateData") or ""),
            str(status.get("clientKeyData") or ""),
            _moment(status.get("expirationTimestamp")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _failure(login) from error
    if answered != login.api_version:
        raise _failure(login, f": it answered as {answered}, exec.apiVersion is {login.api_version}")
    if bool(given.certificate) != bool(given.key):
        raise _failure(login, ": it gave only one of clientCertificateData and clientKeyData")
    if not given.token and not given.certificate:
        raise _failure(login)
    return given


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None


def _failure(login: ExecLogin, why: str = "", *, transient: bool = False) -> Refused:
    message = f"the credential plugin {login.command} of the kubeconfig gave no token{why}"
    return Refused(message, hint=f"run it by hand, or log in: {login.command}", transient=transient)


def _quoted(stderr: bytes | None) -> str:
    """The end of what a plugin wrote for people to read."""
    lines = [line for raw in (stderr or b"").decode(errors="replace").splitlines() if (line := _one_line(raw))]
    end = " / ".join(lines[-SHOWN_LINES:])
    return f": {end[-SHOWN_CHARACTERS:]}" if end else ""


def _one_line(text: str) -> str:
    """Without line ends, and without control characters that could change the terminal."""
    return " ".join("".join(one if one.isprintable() or one.isspace() else "?" for one in text).split())
