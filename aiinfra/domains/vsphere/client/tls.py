"""Which certificates are trusted: those of an authority, one that is pinned, or any, when the file says so."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.errors import Untrusted
from aiinfra.tls_socket import TlsSocket

_EXPIRED, _NOT_YET, _NAMES = 10, 9, (62, 64)
"""X509_V_ERR_* of OpenSSL's x509_vfy.h: CERT_HAS_EXPIRED, CERT_NOT_YET_VALID, HOSTNAME and IP_ADDRESS_MISMATCH."""


def context(access: Access) -> ssl.SSLContext:
    """Return the TLS context. Raises `Untrusted` when the authorities or the fingerprint cannot be used."""
    if access.fingerprint or access.insecure:
        pinned_fingerprint(access)
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        unverified.sslsocket_class = TlsSocket
        return unverified
    try:
        verified = ssl.create_default_context(cadata=access.ca or None)
    except (ssl.SSLError, ValueError, TypeError) as error:
        message = f"ca of {access} holds no certificate that can be read"
        raise Untrusted(message, where=str(access), hint="write ca: ${file:PATH} with a PEM file") from error
    verified.sslsocket_class = TlsSocket
    return verified


def pinned_fingerprint(access: Access) -> str:
    """Return the pinned fingerprint, 64 lower-case digits; empty when none is pinned."""
    digits = re.sub(r"[:\s]", "", access.fingerprint).lower()
    if digits and not re.fullmatch(r"[0-9a-f]{64}", digits):
        message = f"the fingerprint for {access} is not a SHA-256: it has {len(digits)} digits, not 64 hexadecimal ones"
        at = f"{access.host}:{access.port}"
        hint = f"openssl s_client -connect {at} </dev/null | openssl x509 -noout -sha256 -fingerprint"
        raise Untrusted(message, where=str(access), hint=hint)
    return digits


def verify_pin(access: Access, connected: ssl.SSLSocket) -> None:
    """Raise `Untrusted`, with both fingerprints, when the server shows another certificate than the pinned one."""
    expected, shown = (
        pinned_fingerprint(access),
        hashlib.sha256(connected.getpeercert(binary_form=True) or b"").hexdigest(),
    )
    if expected and expected != shown:
        message = (
            f"{access} shows another certificate than the pinned one: {colons(shown)}, and {colons(expected)} is pinned"
        )
        hint = "if its certificate was renewed, compare the new fingerprint on the vCenter itself, then pin it"
        raise Untrusted(message, where=str(access), hint=hint)


def colons(digest: str) -> str:
    """Return a digest with colons: `AB:12` for `ab12`."""
    return ":".join(re.findall("..", digest.upper()))


def trust_error(error: ssl.SSLError, access: Access) -> Untrusted:
    if not isinstance(error, ssl.SSLCertVerificationError):
        why = (error.reason or "the handshake failed").replace("_", " ").lower()
        return Untrusted(
            f"{access.host}:{access.port} does not speak TLS as a vCenter does: {why}",
            where=str(access),
            hint="check host and port: a vCenter serves its API with TLS, on port 443 unless it was changed",
        )
    return Untrusted(_why(error, access), where=str(access), hint=_hint(error, access))


def _why(error: ssl.SSLCertVerificationError, access: Access) -> str:
    if error.verify_code == _EXPIRED:
        return f"the certificate of {access} has expired"
    if error.verify_code == _NOT_YET:
        return f"the certificate of {access} is not valid yet"
    if error.verify_code in _NAMES:
        return f"the certificate of {access} is for another name"
    authorities = "in ca" if access.ca else "that this machine knows"
    return f"the certificate of {access} is signed by no authority {authorities}"


def _hint(error: ssl.SSLCertVerificationError, access: Access) -> str:
    if error.verify_code in (_EXPIRED, _NOT_YET):
        return "renew it on the vCenter, and check the clock of this machine"
    if error.verify_code in _NAMES:
        return "reach the vCenter by the name in its certificate, or pin its fingerprint"
    shown = _served_fingerprint(access)
    ask = f" ({colons(shown)}; compare it on the vCenter itself)" if shown else ""
    return f"give its root certificates as ca, or pin its fingerprint{ask}"


def _served_fingerprint(access: Access) -> str:
    """Return the SHA-256 of the server's certificate; empty when none is served. No request is sent."""
    try:
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        unverified.sslsocket_class = TlsSocket
        with (
            socket.create_connection((access.host, access.port), timeout=5) as plain,
            unverified.wrap_socket(plain, server_hostname=access.host) as secure,
        ):
            return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError:
        return ""
