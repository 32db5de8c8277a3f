"""Acting as somebody else: the fields `as…` of a kubeconfig's user, as the headers that an API server reads.

As client-go v0.36.3 sends them (`transport/round_trippers.go`, `NewImpersonatingRoundTripper`): a header for each group
and each extra value. Left out, everything would be done with more rights than were meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid

_DETAILS: Final = ("as-uid", "as-groups", "as-user-extra")
_LEGAL: Final = "!#$&'*+-.^_`|~"
"""In the name of a header, besides letters and digits; the rest is escaped by `%`."""


def headers(user: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Name and value; a name may come several times. Raises `KubeconfigInvalid` for what the server would misread."""
    if user.get("as"):
        return [(name, _value(text)) for name, text in _lines(user)]
    if odd := next((key for key in _DETAILS if user.get(key)), ""):
        raise KubeconfigInvalid(f"the kubeconfig's user has {odd} without as", hint="name in as whom to act as")
    return ()


def _lines(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Impersonate-User", str(user["as"])
    if uid := user.get("as-uid"):
        yield "Impersonate-Uid", str(uid)
    for group in user.get("as-groups") or ():
        yield "Impersonate-Group", str(group)
    for key, values in (user.get("as-user-extra") or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(str(key), safe=_LEGAL)}", str(value)


def _value(text: str) -> str:
    """The value such that the standard library, which writes Latin-1, sends UTF-8."""
    if not text.isprintable():
        raise KubeconfigInvalid("as of the kubeconfig's user, or what goes with it, holds a control character")
    return text.encode().decode("latin-1")
