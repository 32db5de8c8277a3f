"""A few words for writing structural OpenAPI schemas by hand.

An object has exactly the properties it names: the API server drops or, with strict field validation, refuses all
others. Nothing here sets `x-kubernetes-preserve-unknown-fields`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer", "format": "int32"}
LONG: Schema = {"type": "integer", "format": "int64"}
INT_OR_STRING: Schema = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}


def obj(properties: Mapping[str, Schema], *, required: Sequence[str] = (), **more: Any) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), **more}
    return schema | ({"required": list(required)} if required else {})


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def atomic(schema: Schema) -> Schema:
    """A list or map that server-side apply replaces as a whole."""
    kind = "list" if schema["type"] == "array" else "map"
    return schema | {f"x-kubernetes-{kind}-type": "atomic"}


def mapping(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def enum(*values: str, default: str | None = None) -> Schema:
    schema: Schema = {"type": "string", "enum": list(values)}
    return schema if default is None else schema | {"default": default}


def strings(*names: str) -> Schema:
    """An object whose fields are all strings."""
    return obj(dict.fromkeys(names, STRING))


def flag(default: bool | None = None) -> Schema:
    return BOOLEAN if default is None else BOOLEAN | {"default": default}


def at_least(minimum: int, default: int | None = None) -> Schema:
    schema = INTEGER | {"minimum": minimum}
    return schema if default is None else schema | {"default": default}


STRINGS = array(STRING)
LABELS = mapping(STRING)
ENV = array(obj({"name": STRING, "value": STRING}, required=["name"]))
IMAGE_NAME: Schema = {"type": "string", "pattern": r"[a-zA-Z0-9\-]+"}
IMAGE: dict[str, Schema] = {
    "repository": STRING,
    "image": IMAGE_NAME,
    "version": STRING,
    "imagePullPolicy": STRING,
    "imagePullSecrets": STRINGS,
}
_NUMBER = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
QUANTITY: Schema = INT_OR_STRING | {"pattern": rf"^(\+|-)?{_NUMBER}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{_NUMBER}))?$"}
"""`1Gi`, `500m`; the pattern is that of k8s.io/apimachinery pkg/api/resource, as controller-gen writes it."""
RESOURCES = obj({"limits": mapping(QUANTITY), "requests": mapping(QUANTITY)})
PROBE = obj(
    {
        "initialDelaySeconds": INTEGER,
        "timeoutSeconds": at_least(1),
        "periodSeconds": at_least(1),
        "successThreshold": at_least(1),
        "failureThreshold": at_least(1),
    }
)
TOLERATION = obj({"key": STRING, "operator": STRING, "value": STRING, "effect": STRING, "tolerationSeconds": LONG})
POD_SECURITY_CONTEXT = obj(
    {
        "runAsUser": LONG,
        "runAsGroup": LONG,
        "runAsNonRoot": BOOLEAN,
        "fsGroup": LONG,
        "fsGroupChangePolicy": STRING,
        "seLinuxChangePolicy": STRING,
        "supplementalGroups": atomic(array(LONG)),
        "supplementalGroupsPolicy": STRING,
        "seLinuxOptions": strings("level", "role", "type", "user"),
        "seccompProfile": obj({"type": STRING, "localhostProfile": STRING}, required=["type"]),
        "appArmorProfile": obj({"type": STRING, "localhostProfile": STRING}, required=["type"]),
        "sysctls": atomic(array(obj({"name": STRING, "value": STRING}, required=["name", "value"]))),
        "windowsOptions": obj(
            dict.fromkeys(("gmsaCredentialSpec", "gmsaCredentialSpecName", "runAsUserName"), STRING)
            | {"hostProcess": BOOLEAN}
        ),
    }
)
CONDITION_STATUS = enum("True", "False", "Unknown")
_LABEL = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
CONDITIONS = array(
    obj(
        {
            "type": STRING | {"maxLength": 316, "pattern": f"^({_DOMAIN}/)?({_LABEL})$"},
            "status": CONDITION_STATUS,
            "reason": STRING
            | {"pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", "minLength": 1, "maxLength": 1024},
            "message": STRING | {"maxLength": 32768},
            "lastTransitionTime": STRING | {"format": "date-time"},
            "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
        },
        required=["type", "status", "reason", "message", "lastTransitionTime"],
    )
)
NO_FIELDS: Mapping[str, Schema] = MappingProxyType({})


def crd(
    group: str,
    version: str,
    kind: str,
    plural: str,
    *,
    spec: Schema | None = None,
    status: Schema | None = None,
    fields: Mapping[str, Schema] = NO_FIELDS,
    scope: str = "Cluster",
    short_names: Sequence[str] = (),
    columns: Sequence[tuple[str, str, str]] = (),
    spec_required: bool = True,
    rules: Sequence[tuple[str, str]] = (),
) -> Schema:
    """A CustomResourceDefinition of one served version. `columns` are name, type, JSON path.

    `fields` are those beside `spec` and `status`; `rules` are CEL and message, for the object as a whole.
    """
    names: Schema = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    root: dict[str, Schema] = {"apiVersion": STRING, "kind": STRING, "metadata": {"type": "object"}, **fields}
    root |= ({"spec": spec} if spec else {}) | ({"status": status} if status else {})
    required = ["spec"] if spec and spec_required else ()
    validations = [{"rule": rule, "message": message} for rule, message in rules]
    served: Schema = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": obj(root, required=required)
            | ({"x-kubernetes-validations": validations} if validations else {})
        },
    }
    if status:
        served["subresources"] = {"status": {}}
    if columns:
        served["additionalPrinterColumns"] = [{"name": n, "type": t, "jsonPath": p} for n, t, p in columns]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": names | ({"shortNames": list(short_names)} if short_names else {}),
            "scope": scope,
            "versions": [served],
        },
    }
