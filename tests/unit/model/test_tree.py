"""Paths as people read them, and which values may be shown."""

from __future__ import annotations

import pytest

from aiinfra.config.flags import path_of
from aiinfra.model.display import redact, redacted_line
from aiinfra.model.tree import Loc, Tree, dotted
from aiinfra.stack import Ref, SecretSource, StackName


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ((), ""),
        (("stacks", "nfd", "tolerations", 0, "key"), "stacks.nfd.tolerations[0].key"),
        (("values", "nvidia.com/gpu"), 'values["nvidia.com/gpu"]'),
        (("gpu-operator", "a_b"), "gpu-operator.a_b"),
    ],
)
def test_a_path_is_written_and_read_back(at: Loc, text: str) -> None:
    assert dotted(at) == text
    assert path_of(text) == (at, "")


@pytest.mark.parametrize(
    ("at", "value", "shown"),
    [
        (("stacks", "a", "title"), "x", "x"),
        (("stacks", "a", "title"), "", '""'),
        (("stacks", "a", "title"), " x", '" x"'),
        (("stacks", "a", "count"), 4, "4"),
        (("stacks", "a", "on"), True, "true"),
        (("stacks", "a", "list"), ["é", 1], '["é", 1]'),
        (("vcenter", "password"), "canary", "<hidden>"),
        (("vcenter", "password"), 12345, "<hidden>"),
        (("vcenter", "password"), SecretSource("env", "P"), "${env:P}"),
        (("stacks", "a", "apiToken"), "canary", "<hidden>"),
        (("stacks", "a", "kubeconfig"), "canary", "<hidden>"),
        (("stacks", "a", "kubeconfig"), "", '""'),
        (("stacks", "a", "tls", "private_key"), "canary", "<hidden>"),
        (("stacks", "a"), {"b": {"password": "canary"}}, '{"b": {"password": "<hidden>"}}'),
        (("stacks", "a", "secret_name"), "my-secret", "my-secret"),
        (("stacks", "a", "pull_secrets"), ["ngc"], '["ngc"]'),
        (("state", "secrets"), "passphrase", "passphrase"),
        (("stacks", "a", "ref"), Ref(StackName("b"), ("c",)), "${b.c}"),
    ],
)
def test_what_is_shown_of_a_value(at: Loc, value: object, shown: str) -> None:
    assert redacted_line(value, at) == shown  # type: ignore[arg-type]  # a tree


def test_what_is_public_keeps_the_shape() -> None:
    tree: Tree = {"a": [{"token": "canary"}, Ref(StackName("b"))], "c": None}
    assert redact(tree) == {"a": [{"token": "<hidden>"}, "${b}"], "c": None}
