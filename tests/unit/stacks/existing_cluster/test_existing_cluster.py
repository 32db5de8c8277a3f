from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiinfra.domains.kubernetes.client.kubeconfig import narrowed
from aiinfra.errors import StepError
from tests.unit.stacks.judged import problems

TWO = """\
apiVersion: v1
kind: Config
current-context: east
clusters:
- {name: east-api, cluster: {server: "https://east:6443"}}
- {name: west-api, cluster: {server: "https://west:6443"}}
users:
- {name: east-admin, user: {token: east-token}}
- {name: west-admin, user: {token: west-token}}
contexts:
- {name: east, context: {cluster: east-api, user: east-admin}}
- {name: west, context: {cluster: west-api, user: west-admin}}
"""


@pytest.mark.parametrize(
    ("target", "cluster", "says"),
    [
        ("lab", {}, []),
        ("real", {"kubeconfig": "${file:kubeconfig}"}, []),
        ("real", {"kubeconfig": "${file:kubeconfig}", "context": "west"}, []),
        (
            "real",
            {},
            ["stacks.cluster.kubeconfig: a real cluster needs a kubeconfig (write ${file:~/.kube/config})"],
        ),
        ("lab", {"kubeconfig": "${file:kubeconfig}", "context": "west"}, []),
    ],
)
def test_only_a_lab_brings_its_own_kubeconfig(
    tmp_path: Path, target: str, cluster: dict[str, Any], says: list[str]
) -> None:
    assert problems(tmp_path, {"cluster": {"kind": "existing_cluster", **cluster}}, target) == says


def test_a_chosen_context_is_all_that_is_left() -> None:
    config = YAML(typ="safe").load(narrowed(TWO, "west"))

    assert config["current-context"] == "west"
    assert [entry["name"] for key in ("contexts", "clusters", "users") for entry in config[key]] == [
        "west",
        "west-api",
        "west-admin",
    ]
    assert "east-token" not in str(config)


def test_without_a_context_the_text_is_left_alone() -> None:
    assert narrowed(TWO, "") == TWO


def test_an_unknown_context_is_named_with_those_that_there_are() -> None:
    with pytest.raises(StepError) as failure:
        narrowed(TWO, "north")

    assert failure.value.record.message == "the kubeconfig has no context north"
    assert failure.value.record.hint == "it has: east, west"


@pytest.mark.parametrize(
    ("text", "says"), [("a: [token-5f0e", "the kubeconfig is no YAML"), ("token-5f0e", "the kubeconfig is no map")]
)
def test_a_kubeconfig_that_cannot_be_read_is_never_quoted(text: str, says: str) -> None:
    with pytest.raises(StepError) as failure:
        narrowed(text, "west")

    assert str(failure.value) == says
