"""Values as they may be shown: literals under keys that name secrets are hidden, sources of secrets are named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiinfra.model.tree import Loc, Tree, children, is_list
from aiinfra.stack import Ref, SecretSource

SECRET_KEY = re.compile(r"passw|secret|token|credential|kubeconfig|private_?key|api_?key", re.IGNORECASE)
PUBLIC_KEYS: Final = frozenset({"pull_secrets", "secret_name"})
"""Names of Secret objects, not what is in them."""
HIDDEN: Final = "<hidden>"


def is_secret(at: Loc) -> bool:
    """Whether a literal at this path must not be shown."""
    return at[:2] != ("state", "secrets") and any(_names_secret(part) for part in at)


def _names_secret(part: str | int) -> bool:
    return isinstance(part, str) and part not in PUBLIC_KEYS and bool(SECRET_KEY.search(part))


def redact(tree: Tree, at: Loc = ()) -> Any:
    """Return the tree as JSON with secrets hidden; unresolved values have the form that they have in the file."""
    if isinstance(tree, Ref | SecretSource):
        return str(tree)
    if isinstance(tree, Mapping):
        return {key: redact(value, (*at, key)) for key, value in children(tree)}
    if is_list(tree):
        return [redact(value, (*at, key)) for key, value in children(tree)]
    return HIDDEN if is_secret(at) and tree not in (None, "", True, False) else tree


def redacted_line(tree: Tree, at: Loc = ()) -> str:
    """Return the redacted tree on one line: text without quotes where that is clear, everything else as JSON."""
    value = redact(tree, at)
    if isinstance(value, str) and value and value.strip() == value and "\n" not in value:
        return value
    return json.dumps(value, ensure_ascii=False)
