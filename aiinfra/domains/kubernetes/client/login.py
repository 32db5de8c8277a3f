"""How a client proves who it is: a token, a password, or a credential plugin whose tokens expire."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Mapping

from aiinfra.domains.kubernetes.client.errors import Refused
from aiinfra.domains.kubernetes.client.kubeconfig import Access, ExecLogin

PLUGIN_SECONDS = 60


class Login:
    """Request headers of one `Access`; runs its credential plugin when first needed and again after a refusal."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._plugin_token = ""

    def headers(self) -> Mapping[str, str]:
        if self._access.basic:
            pair = ":".join(self._access.basic).encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        token = self._access.token or self._from_plugin()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def renew(self) -> bool:
        """Forget a plugin's token; False when there is no plugin, so that asking again is of no use."""
        with self._lock:
            self._plugin_token = ""
        return self._access.login is not None

    def _from_plugin(self) -> str:
        if self._access.login is None:
            return ""
        with self._lock:
            self._plugin_token = self._plugin_token or _run(self._access.login)
            return self._plugin_token


def _run(login: ExecLogin) -> str:
    """The token that a credential plugin prints. Its output is never quoted, as it may hold the token."""
    info = {"apiVersion": login.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    given = {**login.env, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    command = ["env", *(f"{key}={value}" for key, value in given.items()), login.command, *login.args]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PLUGIN_SECONDS, check=True)
        return str(json.loads(done.stdout)["status"]["token"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"the credential plugin {login.command} of the kubeconfig gave no token",
            hint=f"run it by hand, log in, or install it: {login.command}",
        ) from error
