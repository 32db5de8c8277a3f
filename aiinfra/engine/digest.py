"""What a stack's last success depended on, as one keyed hash: equal means nothing to do.

Pure. Keyed (HMAC-SHA256), as inputs hold secrets and digests lie beside the state in clear.
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
from aiinfra.stack import Inputs, Ref, SecretSource

Late = Ref | SecretSource


def keyed(key: bytes, *parts: str) -> str:
    """HMAC-SHA256 over the parts, unambiguous in their borders; hex."""
    return hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


@cache
def key_from(passphrase: str, environment_id: str) -> bytes:
    """The digest key of an environment whose state is sealed by a passphrase.

    It costs 16 MB and 50 ms, so that digests, which lie in clear, are no quicker way to guess a passphrase than the
    state that it seals.
    """
    salt = f"aiinfra digest key {environment_id}".encode()
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def key_of_random(secret: str, environment_id: str) -> bytes:
    """As `key_from`, for a secret that nobody can guess."""
    return hmac.new(secret.encode(), f"aiinfra digest key {environment_id}".encode(), hashlib.sha256).digest()


def inputs_text(inputs: Inputs, late: Callable[[Late], str]) -> str:
    """Canonical text of a stack's inputs; `late` gives what stands for a reference or a secret source."""
    return json.dumps(_plain(inputs, late), sort_keys=True, separators=(",", ":"), default=str)


def outputs_text(outputs: Mapping[str, Tree]) -> str:
    return json.dumps({name: encode(value) for name, value in outputs.items()}, sort_keys=True, separators=(",", ":"))


def _plain(value: Any, late: Callable[[Late], str]) -> Any:
    match value:
        case Ref() | SecretSource():
            return {"$late": str(value), "$digest": late(value)}
        case BaseModel():
            return {name: _plain(getattr(value, name), late) for name in type(value).model_fields}
        case Mapping():
            return {str(key): _plain(item, late) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, late) for item in value]
        case set() | frozenset():
            return sorted(str(item) for item in value)
    return value
