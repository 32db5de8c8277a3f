"""What the file says of images, as values of a chart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiinfra.domains.kubernetes.charts.block import NOTHING, ChartSources, Images
from aiinfra.domains.kubernetes.charts.chart_facts import ChartFacts
from aiinfra.domains.kubernetes.charts.trees import overlay

SECRET_NAME: Final = "aiinfra-registry"
"""The pull Secret that a stack makes in its namespace from `charts.images.credentials`."""


def image_values(facts: ChartFacts, charts: ChartSources | None) -> dict[str, Any]:
    """Return the values by which a chart takes its images from the registry, and with the Secrets, of the file."""
    images = (charts or NOTHING).images
    values: dict[str, Any] = {}
    if images.registry:
        for path, official in facts.images.items():
            values = overlay(values, nested(path, mirrored(official, images.registry)))
    if names := secret_names(images):
        for path in facts.pull_secrets:
            values = overlay(values, nested(path, names))
        for path in facts.pull_secret_objects:
            values = overlay(values, nested(path, [{"name": name} for name in names]))
    return values


def secret_names(images: Images) -> list[str]:
    """Return the names of the Secrets with which images are pulled."""
    return [*images.pull_secrets, *([SECRET_NAME] if images.credentials else [])]


def mirrored(repository: str, registry: str) -> str:
    """`registry.corp/nvidia/driver` for `nvcr.io/nvidia/driver`: the first part of a name is its registry."""
    return "/".join((registry, *repository.split("/")[1:]))


def nested(path: str, value: Any) -> dict[str, Any]:
    """`{a: {b: value}}` for `a.b`; a key with dots is none of ours."""
    keys: Sequence[str] = path.split(".")
    made: Any = value
    for key in reversed(keys):
        made = {key: made}
    found: Mapping[str, Any] = made
    return dict(found)
