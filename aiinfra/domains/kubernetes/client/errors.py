"""Errors of requests to an API server: one class for each kind of refusal.

Each message names the server and, where there is one, the object.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from aiinfra.errors import OutsideError


class KubeError(OutsideError):
    """A request to a Kubernetes API server failed."""

    default_code = "kube.failed"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        where: str = "",
        hint: str = "",
        transient: bool = False,
        status: int = 0,
        reason: str = "",
    ) -> None:
        super().__init__(message, code=code, where=where, hint=hint, transient=transient)
        self.status = status
        """HTTP status; 0 when there was no answer."""
        self.reason = reason
        """The `reason` of the API's Status object."""


class KubeconfigInvalid(KubeError):
    """The kubeconfig's text cannot be used."""

    default_code = "kube.kubeconfig"


class Unreachable(KubeError):
    """No answer from the API server."""

    default_code = "kube.unreachable"


class Untrusted(Unreachable):
    """The server's certificate could not be verified."""

    default_code = "kube.tls"


class Refused(KubeError):
    """401 or 403: the credentials are not accepted, or do not allow this."""

    default_code = "kube.refused"


class NotFound(KubeError):
    """404 for an object or a path."""

    default_code = "kube.not_found"


class NoSuchKind(NotFound):
    """The server serves no such kind: its CustomResourceDefinition is absent or not established."""

    default_code = "kube.no_such_kind"


class Conflict(KubeError):
    """409: exists already, changed meanwhile, or fields owned by another manager."""

    default_code = "kube.conflict"


class Invalid(KubeError):
    """400 or 422: the API server refused the object; the message is the API's."""

    default_code = "kube.invalid"


class WebhookFailed(KubeError):
    """An admission webhook could not be called, or denied the request."""

    default_code = "kube.webhook"


class Expired(KubeError):
    """410: the resource version asked for is too old."""

    default_code = "kube.expired"


UNREACHABLE_HINT = "check that the cluster is up and that this machine can reach the address in the kubeconfig"

CA_HINT = "put the cluster's CA into certificate-authority-data of the kubeconfig"
_NAMES_HINT = "give the server an address in the kubeconfig that its certificate names"
_CERTIFICATE_HINTS: Mapping[int, str] = {
    9: "check the clock of this machine",
    10: "renew the API server's certificate, or check the clock of this machine",
    62: _NAMES_HINT,
    64: _NAMES_HINT,
}
"""By OpenSSL's verify code (openssl/x509_vfy.h): not yet valid, expired, another host name, another IP address."""


def from_transport(error: OSError | http.client.HTTPException, server: str) -> Unreachable:
    """Return the error for a request that got no answer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = (error.verify_message or "").rstrip(".")
        hint = _CERTIFICATE_HINTS.get(error.verify_code, CA_HINT)
        return Untrusted(f"the certificate of {server} is not trusted: {why}", where=server, hint=hint)
    if isinstance(error, ssl.SSLError):
        why = (error.reason or "it was cut off").replace("_", " ").lower()
        return Unreachable(f"TLS with {server} fails: {why}", where=server, hint=UNREACHABLE_HINT, transient=True)
    if isinstance(error, TimeoutError):
        return Unreachable(f"{server} did not answer in time", where=server, hint=UNREACHABLE_HINT, transient=True)
    why = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return Unreachable(f"{server} cannot be reached: {why}", where=server, hint=UNREACHABLE_HINT, transient=True)


_BY_STATUS: Mapping[int, tuple[type[KubeError], str]] = {
    400: (Invalid, ""),
    401: (Refused, "get a fresh kubeconfig for this cluster"),
    403: (Refused, "give the kubeconfig's user the right to do this"),
    404: (NotFound, ""),
    409: (Conflict, ""),
    410: (Expired, ""),
    422: (Invalid, ""),
}


PASSING: Sequence[tuple[str, str]] = (
    ("not yet ready to handle request", "run again: the API server has just started"),
    ("status unknown for quota", "run again: the ResourceQuota was not counted yet"),
    ("because it is being terminated", "wait until the namespace is gone, then run again"),
    ("the object has been modified", "run again: somebody else wrote it at the same moment"),
)
"""Parts of refusals (403, 409) that tell of a moment, not of a right (kubernetes apiserver/pkg/admission,
plugin/pkg/admission/resourcequota, apimachinery/pkg/api/errors), each with its hint."""
_ROLE_UNKNOWN = re.compile(r"RBAC: .* not found")
"""Of a 403 (plugin/pkg/auth/authorizer/rbac): the roles are not read yet after a start, or a binding names none."""
_ROLE_HINT = "run again if the API server has just started; else make the role that a binding names"


def from_status(status: int, body: Mapping[str, Any], server: str, about: str) -> KubeError:
    """Return the error for a response that is not a success. `about` names the object or path."""
    text = str(body.get("message") or f"status {status}").strip().rstrip(".")
    family, hint = _family(status, text)
    passing = _passing(status, text)
    message = f"{about}: {text}"
    if status == 401:
        message = f"{server} does not accept the credentials of the kubeconfig"
    again = bool(passing) or ((status in (410, 429) or status >= 500) and family is not Invalid)
    reason = str(body.get("reason") or "")
    return family(message, where=about, hint=passing or hint, transient=again, status=status, reason=reason)


def _passing(status: int, text: str) -> str:
    """Return the hint for a refusal that another try may not meet; empty for any other."""
    if status not in (403, 409):
        return ""
    found = next((hint for part, hint in PASSING if part in text), "")
    return found or (_ROLE_HINT if _ROLE_UNKNOWN.search(text) else "")


def _family(status: int, text: str) -> tuple[type[KubeError], str]:
    if "admission webhook" in text or "failed calling webhook" in text:
        return WebhookFailed, ""
    if "failed to create typed patch object" in text:  # the API server answers 500 to an apply with unknown fields
        return Invalid, ""
    if status == 403 and " cannot " not in text:  # by an admission plugin, as pod security: no right helps
        return Refused, ""
    return _BY_STATUS.get(status, (KubeError, ""))


def not_kubernetes(server: str) -> KubeError:
    """Return the error for a server whose answers are not those of a Kubernetes API server."""
    return KubeError(f"{server} does not answer as a Kubernetes API server does", where=server, hint=UNREACHABLE_HINT)
