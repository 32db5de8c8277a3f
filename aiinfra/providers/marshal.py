"""Convert Pulumi's property values on the wire (protobuf Struct) to our trees and back, with secrets and unknowns.

Source of the signatures: pulumi/pulumi sdk/go/common/resource/plugin/rpc.go and resource/sig/sig.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

from aiinfra.engine.wire import (
    SECRET_MARK,
    SECRET_SIGNATURE,
    UNKNOWN,
    UNKNOWN_TEXT,
    Secret,
    Tree,
    encode,
)

_UNKNOWN_TEXTS: Final = frozenset(
    (
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    )
)
_OUTPUT_MARK: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


def tree_of(struct: Struct) -> dict[str, Tree]:
    """Return the trees of a protobuf Struct by key."""
    return {key: _tree(value) for key, value in struct.fields.items()}


def struct_of(properties: Mapping[str, Tree]) -> Struct:
    """Return trees as a protobuf Struct; the inverse of `tree_of`."""
    struct = Struct()
    struct.update(encode(properties))
    return struct


def _tree(value: Value) -> Tree:
    match value.WhichOneof("kind"):
        case "string_value":
            text: str = value.string_value
            return UNKNOWN if text in _UNKNOWN_TEXTS else text
        case "number_value":
            number: float = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return bool(value.bool_value)
        case "list_value":
            return [_tree(item) for item in value.list_value.values]
        case "struct_value":
            return _map(value.struct_value)
    return None


def _map(struct: Struct) -> Tree:
    if SECRET_SIGNATURE in struct.fields:
        return _signed(struct)
    return tree_of(struct)


def _signed(struct: Struct) -> Tree:
    signature = struct.fields[SECRET_SIGNATURE].string_value
    if signature == SECRET_MARK:
        return Secret(_tree(struct.fields["value"]))
    if signature == _OUTPUT_MARK:
        value = _tree(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return Secret(value) if struct.fields["secret"].bool_value else value
    return tree_of(struct)


def reveal_known(tree: Tree) -> Any:
    """Return the value with secrets revealed and unknown parts left as `UNKNOWN`."""
    if isinstance(tree, Secret):
        return reveal_known(tree.value)
    if isinstance(tree, Mapping):
        return {key: reveal_known(value) for key, value in tree.items()}
    return [reveal_known(value) for value in tree] if isinstance(tree, list | tuple) else tree
