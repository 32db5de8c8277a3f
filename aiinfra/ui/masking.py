"""The last gate before a sink: known secret values become `<secret>`.

Views get no secrets. This is for what others say: a provider's message, a traceback in a crash file.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHOWN = "<secret>"
SHORTEST = 4
"""Values shorter than this are not masked: they are part of too many innocent words."""
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.\-]{32,}")


class Masker:
    """Replaces secret values, and the forms in which they travel (base64, URL, JSON, single lines), by `<secret>`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(SHOWN, text) if self._pattern else text

    def tree(self, value: object) -> object:
        """The same JSON value with every text in it masked, keys included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self(str(key)): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value


NOTHING = Masker()


def _forms(secret: str) -> Iterator[str]:
    for part in _parts(secret):
        yield part
        yield json.dumps(part)[1:-1]
        yield repr(part)[1:-1]
        yield quote(part, safe="")
        yield quote_plus(part)
        yield from _xml(part)
        yield from _base64(part)


def _parts(secret: str) -> Iterator[str]:
    """The value, and of a document (a kubeconfig, a PEM block) its keys and tokens, for they are quoted alone too."""
    whole = secret.strip()
    if len(whole) >= SHORTEST:
        yield secret
        yield whole
    if "\n" in whole:
        yield from (token for token in _TOKEN.findall(whole) if any(map(str.isdigit, token)))


def _xml(text: str) -> Iterator[str]:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield escaped
    yield escaped.replace('"', "&quot;")


def _base64(text: str) -> Iterator[str]:
    """The value encoded alone; the last characters are left out, as they change when it stands inside a longer text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(text.encode()).decode().rstrip("=")
        if len(encoded) > 8:
            yield encoded[:-1]
