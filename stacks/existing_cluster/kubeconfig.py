"""A kubeconfig narrowed to one context, so that nobody downstream uses another by accident."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from aiinfra.errors import StepError


def narrowed(text: str, context: str) -> str:
    """The kubeconfig with `context` alone, as its current one; unchanged when `context` is empty.

    Raises `StepError` naming the contexts that there are, and never quotes the text.
    """
    if not context:
        return text
    config = _parsed(text)
    found = _named(config, "contexts", context)
    if found is None:
        names = ", ".join(str(entry.get("name")) for entry in config.get("contexts") or ()) or "none"
        raise StepError(f"the kubeconfig has no context {context}", code="kube.kubeconfig", hint=f"it has: {names}")
    inner = found.get("context") or {}
    cluster, user = _named(config, "clusters", inner.get("cluster")), _named(config, "users", inner.get("user"))
    kept = {"contexts": [found], "clusters": [cluster] if cluster else [], "users": [user] if user else []}
    stream = StringIO()
    YAML(typ="safe").dump({**config, **kept, "current-context": context}, stream)
    return stream.getvalue()


def _parsed(text: str) -> dict[str, Any]:
    try:
        config = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise StepError("the kubeconfig is no YAML", code="kube.kubeconfig") from error
    if not isinstance(config, dict):
        raise StepError("the kubeconfig is no map", code="kube.kubeconfig")
    return config


def _named(config: dict[str, Any], section: str, name: object) -> dict[str, Any] | None:
    return next((entry for entry in config.get(section) or () if entry.get("name") == name), None)
