"""The contract of a domain: what its strings name, and which of its entries a resource type has."""

from __future__ import annotations

import pytest

from aiinfra.domain import for_token, load
from aiinfra.errors import ConfigError

ENTRIES = {"k:": "any", "k:apps:": "app", "k:apps:Release": "release", "other": "no prefix"}


@pytest.mark.parametrize(
    ("token", "entry"),
    [
        ("k:apps:Release", "release"),
        ("k:apps:Releases", "app"),
        ("k:core:Secret", "any"),
        ("other:Thing", None),
        ("kk:core:Secret", None),
    ],
)
def test_an_entry_is_of_the_whole_token_or_of_its_longest_beginning(token: str, entry: str | None) -> None:
    assert for_token(ENTRIES, token) == entry


@pytest.mark.parametrize("target", ["aiinfra.nothing:CODES", "aiinfra.errors:Nothing"])
def test_what_a_domain_names_and_is_not_there_is_an_error_of_its_package(target: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(target)
    assert (caught.value.record.code, caught.value.record.where) == ("catalog.broken_package", target)
