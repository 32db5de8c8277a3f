"""Check trees against models with the strictness of JSON; unresolved values stay references and sources.

A tree becomes JSON in which each unresolved value is a token that no text can hold; `Input[T]` fields turn the token
back. So `"4"` is no number and `true` is no count, while lists become tuples and texts become enums as authors expect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from aiinfra.model.tree import Flaw, Loc, Tree, at_path, children
from aiinfra.plan.pydantic_errors import flaws_of, literal_required
from aiinfra.stack import Ref, SecretSource

M = TypeVar("M", bound=BaseModel)
TOKEN = "\0"
"""Begins a token; texts with NUL are refused where files are read."""


def validate(model: type[M], tree: Tree, at: Loc = ()) -> tuple[M | None, list[Flaw]]:
    """Return the model, or what is wrong with the tree; `at` is the path of the tree in its document."""
    tokens: dict[str, Ref | SecretSource] = {}
    text = json.dumps(_with_tokens(tree, tokens))
    try:
        made = model.model_validate_json(text, strict=True, context=tokens)
    except ValidationError as exc:
        return None, flaws_of(model, exc, tree, at)
    if misplaced := [Flaw((*at, *loc), *literal_required(at_path(tree, loc))) for loc in _tokens_in(made)]:
        return None, misplaced
    return made, []


def _with_tokens(tree: Tree, tokens: dict[str, Ref | SecretSource]) -> Any:
    if isinstance(tree, Ref | SecretSource):
        token = f"{TOKEN}{len(tokens)}"
        tokens[token] = tree
        return token
    if isinstance(tree, Mapping):
        return {key: _with_tokens(value, tokens) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_with_tokens(value, tokens) for value in tree]
    return tree


def _tokens_in(value: Any, at: Loc = ()) -> Iterator[Loc]:
    """Yield the paths of tokens that were taken for text: those fields accept no unresolved value."""
    if isinstance(value, str) and value.startswith(TOKEN):
        yield at
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _tokens_in(getattr(value, name), (*at, field.alias or name))
    elif isinstance(value, Mapping | list | tuple):
        for key, item in children(value):
            yield from _tokens_in(item, (*at, key))
