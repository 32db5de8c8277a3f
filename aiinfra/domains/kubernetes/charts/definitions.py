"""Custom resources held against the schemas of their definitions, strictly, as a dry run would. Pure.

Structural schemas of apiextensions.k8s.io/v1: types, enumerations, required and unknown fields, free maps, limits.
What needs an API server (CEL rules, defaults, formats) is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_WORDS: Final = {
    **{"string": "a text", "boolean": "true or false", "integer": "a whole number", "number": "a number"},
    **{"array": "a list", "object": "a map"},
}


def deviations(objects: Sequence[Mapping[str, Any]], definitions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each field of these objects that their definition does not accept."""
    schemas = {key: schema for crd in definitions for key, schema in _schemas(crd)}
    for obj in objects:
        schema = schemas.get((str(obj.get("apiVersion")), str(obj.get("kind"))))
        if schema is not None:
            about = f"{obj['kind']} {(obj.get('metadata') or {}).get('name', '')}"
            own = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind", "metadata"}}
            yield from (f"{about}: {sentence}" for sentence in _judge(own, schema, ""))


def _schemas(crd: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Schema]]:
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema:
            yield (f"{spec['group']}/{version['name']}", spec["names"]["kind"]), schema


def _judge(value: Any, schema: Schema, at: str) -> Iterator[str]:
    if value is None and (schema.get("nullable") or not at):
        return
    if sentence := _wrong(value, schema):
        yield f"{at} {sentence}"
    elif isinstance(value, Mapping):
        yield from _fields(value, schema, at)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _judge(item, schema["items"], f"{at}[{index}]")


def _wrong(value: Any, schema: Schema) -> str:
    expected = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return "" if isinstance(value, int | str) and not isinstance(value, bool) else "wants a number or a text"
    if expected and not _is(value, expected):
        return f"is {_shown(value)}, where {_WORDS[expected]} is wanted"
    if "enum" in schema and value not in schema["enum"]:
        return f"is {_shown(value)}, and may be: {', '.join(map(_shown, schema['enum']))}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return f"is {_shown(value)}, which does not match {schema['pattern']}"
    return _out_of_bounds(value, schema)


def _out_of_bounds(value: Any, schema: Schema) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if value < schema.get("minimum", value):
        return f"is {value}, less than {schema['minimum']}"
    return f"is {value}, more than {schema['maximum']}" if value > schema.get("maximum", value) else ""


def _is(value: Any, expected: str) -> bool:
    if isinstance(value, bool):
        return expected == "boolean"
    if expected == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[expected])


def _fields(value: Mapping[str, Any], schema: Schema, at: str) -> Iterator[str]:
    known, free = schema.get("properties") or {}, schema.get("additionalProperties")
    value = {name: part for name, part in value.items() if part is not None or not _dropped(known.get(name, free))}
    for name in schema.get("required") or ():
        if name not in value:
            yield f"{_dot(at, name)} is required"
    for name, part in value.items():
        here = _dot(at, name)
        if name in known:
            yield from _judge(part, known[name], here)
        elif isinstance(free, Mapping):
            yield from _judge(part, free, here)
        elif known and not free and not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{here} is a field that the definition does not have"


def _dropped(schema: Any) -> bool:
    """Whether an API server takes a null of this schema for a field that is not given.

    Source: Kubernetes v1.36.3, apiextensions-apiserver pkg/apiserver/schema/defaulting/prune.go.
    """
    return isinstance(schema, Mapping) and not schema.get("nullable")


def _dot(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "a map"
    return '""' if value == "" else str(value)
