"""Which images an object uses, so that an air-gapped site can load them."""

from __future__ import annotations

from typing import Any

import pytest

from aiinfra.domains.kubernetes.charts.mirroring import images_of


@pytest.mark.parametrize(
    ("obj", "images"),
    [
        ({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "corp/a:1"}]}}}}, ["corp/a:1"]),
        (
            {"env": [{"name": "DRIVER_MANAGER_IMAGE", "value": "corp/m:2"}, {"name": "OTHER", "value": "x"}]},
            ["corp/m:2"],
        ),
        ({"args": ["--v=2", "--acme-http01-solver-image=quay.io/a/solver:1"]}, ["quay.io/a/solver:1"]),
        ({"spec": {"gfd": {"repository": "corp", "image": "gfd", "version": "v1"}}}, ["corp/gfd:v1"]),
        ({"spec": {"gfd": {"repository": "corp", "image": "gfd", "version": "sha256:ab"}}}, ["corp/gfd@sha256:ab"]),
        ({"spec": {"gfd": {"enabled": False, "repository": "corp", "image": "gfd", "version": "v1"}}}, []),
        (
            {
                "apiVersion": "nvidia.com/v1",
                "spec": {"driver": {"repository": "corp", "image": "driver", "version": "595"}},
            },
            ["corp/driver:595-<os>"],
        ),
    ],
)
def test_images_of_an_object(obj: dict[str, Any], images: list[str]) -> None:
    assert list(images_of(obj)) == images
