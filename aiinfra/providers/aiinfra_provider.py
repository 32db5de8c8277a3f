"""The provider `aiinfra`: its resource types and what answers for each."""

from __future__ import annotations

from aiinfra import __version__
from aiinfra.providers.contract import ProviderSpec
from aiinfra.providers.test_thing import TestThing


def spec() -> ProviderSpec:
    return ProviderSpec(
        "aiinfra",
        __version__,
        {
            "aiinfra:test:Thing": TestThing(),
        },
    )
