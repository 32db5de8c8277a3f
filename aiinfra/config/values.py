"""Unresolved values: `${stack}`, `${stack.output}`, `${env:NAME}`, `${file:PATH}`; `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiinfra.model.tree import Flaw, Loc, Tree, is_list
from aiinfra.stack import Ref, SecretSource, StackName

_WHOLE = re.compile(r"\$\{([^{}]*)\}")
_OPENING = re.compile(r"\$\$\{|\$\{")
_REFERENCE = re.compile(r"([a-z][a-z0-9_-]{0,39})((?:\.[A-Za-z_][A-Za-z0-9_-]*)*)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FORMS = "write ${stack}, ${stack.output}, ${env:NAME} or ${file:PATH}"


def parse_values(tree: Tree, at: Loc = ()) -> tuple[Tree, list[Flaw]]:
    """Return the tree with unresolved values as leaves, and what is wrong with them."""
    flaws: list[Flaw] = []
    return _walk(tree, at, flaws), flaws


def _walk(tree: Tree, at: Loc, flaws: list[Flaw]) -> Tree:
    if isinstance(tree, Mapping):
        return {key: _walk(value, (*at, key), flaws) for key, value in tree.items()}
    if is_list(tree):
        return [_walk(item, (*at, number), flaws) for number, item in enumerate(tree)]  # type: ignore[arg-type]
    if not isinstance(tree, str) or "${" not in tree:
        return tree
    found = parse_value(tree)
    if isinstance(found, tuple):
        flaws.append(Flaw(at, *found))
        return tree
    return found


def parse_value(text: str) -> str | Ref | SecretSource | tuple[str, str]:
    """Return the value of a text; a message and a hint when it is not well formed."""
    if whole := _WHOLE.fullmatch(text):
        return _parse_inner(whole[1])
    openings = {found[0] for found in _OPENING.finditer(text)}
    if "${" in openings:
        if text.endswith("}") and text.startswith("${") and text.count("${") == 1:
            return f"{text} is neither a reference nor a secret source", FORMS
        return "a reference or secret source must be the whole value", "write it alone, or $${ for a literal ${"
    return _OPENING.sub("${", text)


def escape(text: str) -> str:
    """Return `text` as a file must write it."""
    return text.replace("${", "$${")


def _parse_inner(inner: str) -> Ref | SecretSource | tuple[str, str]:
    scheme, colon, name = inner.partition(":")
    if colon:
        return _parse_source(scheme, name)
    if found := _REFERENCE.fullmatch(inner):
        return Ref(StackName(found[1]), tuple(found[2].split(".")[1:]))
    return "${" + inner + "} is neither a reference nor a secret source", FORMS


def _parse_source(scheme: str, name: str) -> SecretSource | tuple[str, str]:
    if scheme == "env":
        if _VARIABLE.fullmatch(name):
            return SecretSource("env", name)
        return f"{name!r} is not a name of an environment variable", "write ${env:NAME}"
    if scheme == "file":
        return SecretSource("file", name) if name.strip() else ("the path of the file is empty", "write ${file:PATH}")
    return f"{scheme!r} is no source of secrets", "sources are ${env:NAME} and ${file:PATH}"
