"""JSON Schema of an environment file, kinds included, for editors. Descriptions are the docstrings of the fields."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from aiinfra.catalog import blocks
from aiinfra.domain import Block, load
from aiinfra.model.environment import STACK_NAME, Environment, StackEntry
from aiinfra.stack import StackType

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ID: Final = "urn:aiinfra.environment/v1"


def environment_schema(kinds: Mapping[str, StackType[Any, Any]]) -> dict[str, Any]:
    """One schema for the whole file; an entry of `stacks` is judged by the kind that it names."""
    shared: dict[str, Any] = {}
    lab = _lab(shared)
    head = _schema(Environment, shared, "")
    head["properties"]["lab"] = {**lab, **head["properties"]["lab"]}
    head["properties"] = _with_blocks(head["properties"], shared)
    head["properties"]["extends"] = _EXTENDS
    shared.pop("StackEntry", None)
    shared["Stack"] = _stack(kinds)
    head["properties"]["stacks"] = {
        "description": "What the environment is made of, by name.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": STACK_NAME},
        "additionalProperties": {"$ref": "#/$defs/Stack"},
    }
    shared.update({_definition(kind): _entry(kinds[kind], shared) for kind in kinds})
    required = ["version", "name"]
    title = {"$schema": DIALECT, "$id": ID, "title": "An environment of aiinfra"}
    return {**title, **{**head, **title}, "required": required, "$defs": shared}


_EXTENDS: Final[Mapping[str, Any]] = {
    "description": "Files below this one, relative to it, a later one stronger. Maps merge, anything else is replaced.",
    "type": "array",
    "items": {"type": "string", "minLength": 1},
}


def _lab(shared: dict[str, Any]) -> Mapping[str, Any]:
    """Return the schema of `lab:`, whose models `Environment` does not know."""
    from aiinfra.config.lab_block import lab_model

    model = lab_model()
    holder = create_model("Holder", lab=(model, model()))
    found: Mapping[str, Any] = _schema(holder, shared, "")["properties"]["lab"]
    return found


def _with_blocks(properties: Mapping[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with the blocks of domains in place of `Environment.blocks`."""
    found: dict[str, Any] = {}
    for name, schema in properties.items():
        found |= {key: _block(b, shared) for key, b in blocks().items()} if name == "blocks" else {name: schema}
    return found


def _block(block: Block, shared: dict[str, Any]) -> Mapping[str, Any]:
    model = load(block.model)
    fields: Any = {block.key: (model | None, None)}
    found: Mapping[str, Any] = _schema(create_model("Holder", **fields), shared, "")["properties"][block.key]
    return {**found, "description": f"For every stack that takes a {block.key} and names no other."}


def _definition(kind: str) -> str:
    return f"kind.{kind}"


def _stack(kinds: Mapping[str, StackType[Any, Any]]) -> dict[str, Any]:
    """`kind` chooses the schema of the rest; a base file may leave it to the file that extends it."""
    return {
        "type": "object",
        "properties": {"kind": {"enum": list(kinds), "description": "What is built."}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{_definition(kind)}"},
            }
            for kind in kinds
        ],
    }


def _entry(kind: StackType[Any, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Schema of an entry of one kind."""
    inputs = _schema(kind.inputs, shared, f"{kind.kind}.")
    own = _schema(StackEntry, {}, "")["properties"]
    properties = {"kind": {"const": kind.kind}, "depends_on": own["depends_on"], **inputs["properties"]}
    required = [name for name in inputs.get("required", ()) if name not in blocks()]
    return {**inputs, "title": kind.kind, "description": kind.summary, "properties": properties, "required": required}


def _schema(model: type[BaseModel], shared: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Schema of a model; the models inside it go to `shared`, by their names behind `prefix`."""
    template = f"#/$defs/{prefix}{{model}}"
    schema = model.model_json_schema(ref_template=template, schema_generator=_Described)
    shared.update({prefix + name: definition for name, definition in schema.pop("$defs", {}).items()})
    return {"properties": {}, **schema}


class _Described(GenerateJsonSchema):
    """Adds the docstring under a field as its description, and drops titles that only repeat names."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        found = super().model_schema(schema)
        texts = field_texts(schema["cls"])
        for name, field in found.get("properties", {}).items():
            field.pop("title", None)
            if name in texts:
                field.setdefault("description", texts[name])
        return found


def field_texts(model: type[BaseModel]) -> Mapping[str, str]:
    """The docstring under each field of a model, its bases included."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        module = sys.modules.get(base.__module__)
        if issubclass(base, BaseModel) and base.__module__.partition(".")[0] != "pydantic" and module:
            texts.update(_class_texts(module.__name__).get(base.__name__, {}))
    return texts


@cache
def _class_texts(module: str) -> Mapping[str, Mapping[str, str]]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return {}
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: _texts(node) for node in classes}


def _texts(node: ast.ClassDef) -> Mapping[str, str]:
    """`field: T = …` followed by a text."""
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in zip(node.body, node.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
