"""A resource without a world of its own, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class Thing(pulumi.CustomResource):
    """Echoes its properties as outputs of the same names; effects are described in `provider`."""

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiinfra:test:Thing", name, dict(props), opts)
