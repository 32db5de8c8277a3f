"""A keyed hash of all that a stack's result depends on: an equal one means that there is nothing to do.

Pure. It is keyed (HMAC-SHA256), as inputs hold secrets and digests are stored beside the state in plain text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from aiinfra.engine.wire import Tree, encode
from aiinfra.model.units import PROCEDURE
from aiinfra.stack import Inputs, Ref, SecretSource

Unresolved = Ref | SecretSource


def keyed(key: bytes, *parts: str) -> str:
    """Return the HMAC-SHA256 over the parts as hex; where a part ends is unambiguous."""
    return hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


@cache
def key_from(passphrase: str, environment_id: str) -> bytes:
    """Return the digest key of an environment whose state is encrypted with a passphrase.

    It costs 16 MB and 50 ms, so that plain-text digests are no quicker way to guess the passphrase than the state
    itself.
    """
    salt = f"aiinfra digest key {environment_id}".encode()
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def key_from_random(secret: str, environment_id: str) -> bytes:
    """Return the digest key for a random secret, which needs no slow hash."""
    return hmac.new(secret.encode(), f"aiinfra digest key {environment_id}".encode(), hashlib.sha256).digest()


def inputs_text(inputs: Inputs, stand_in: Callable[[Unresolved], str]) -> str:
    """Return the canonical text of a stack's inputs; `stand_in` replaces each reference and secret source.

    Fields that only say how a run goes, such as limits, are left out.
    """
    return json.dumps(_plain(inputs, stand_in), sort_keys=True, separators=(",", ":"), default=str)


def outputs_text(outputs: Mapping[str, Tree]) -> str:
    """Return the canonical text of a stack's outputs."""
    return json.dumps({name: encode(value) for name, value in outputs.items()}, sort_keys=True, separators=(",", ":"))


def _plain(value: Any, stand_in: Callable[[Unresolved], str]) -> Any:
    match value:
        case Ref() | SecretSource():
            return {"$late": str(value), "$digest": stand_in(value)}
        case BaseModel():
            fields = type(value).model_fields
            return {n: _plain(getattr(value, n), stand_in) for n, f in fields.items() if PROCEDURE not in f.metadata}
        case Mapping():
            return {str(key): _plain(item, stand_in) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, stand_in) for item in value]
        case set() | frozenset():
            return sorted(str(item) for item in value)
    return value
