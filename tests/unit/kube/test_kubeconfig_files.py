"""Relative paths in a kubeconfig start at its folder, as for kubectl; the text that travels on has none."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiinfra.domains.kubernetes.client.errors import KubeconfigInvalid
from aiinfra.domains.kubernetes.client.flattening import flattened
from aiinfra.domains.kubernetes.client.kubeconfig import parse
from tests.unit.kube.test_kubeconfig import a_kubeconfig


def read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(text)
    return document


def one(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
    return json.dumps(
        a_kubeconfig(
            clusters=[{"name": "c", "cluster": {"server": "https://x", **(cluster or {})}}],
            users=[{"name": "u", "user": user or {"token": "t"}}],
        )
    )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    folder.mkdir()
    for name in ("ca.pem", "me.crt", "me.key"):
        (folder / name).write_text(f"the content of {name}")
    return folder


def test_what_relative_paths_name_is_embedded(conf: Path) -> None:
    user = {"client-certificate": "me.crt", "client-key": "../conf/me.key"}
    document = read(flattened(one({"certificate-authority": "ca.pem"}, user), conf))
    assert document["clusters"][0]["cluster"] == {
        "server": "https://x",
        "certificate-authority-data": encoded("the content of ca.pem"),
    }
    assert document["users"][0]["user"] == {
        "client-certificate-data": encoded("the content of me.crt"),
        "client-key-data": encoded("the content of me.key"),
    }


def test_a_token_file_and_a_command_become_absolute(conf: Path) -> None:
    user = {"tokenFile": "token", "exec": {"apiVersion": "v1", "command": "./tok.sh"}}
    document = read(flattened(one(user=user), conf))
    assert document["users"][0]["user"] == {
        "tokenFile": str(conf / "token"),
        "exec": {"apiVersion": "v1", "command": str(conf / "tok.sh")},
    }


@pytest.mark.parametrize(
    "text",
    [
        one({"certificate-authority": "/no/such/ca.pem"}, {"exec": {"apiVersion": "v1", "command": "aws"}}),
        one({"certificate-authority-data": "Yg=="}, {"tokenFile": "/var/run/token"}),
        "{",
        "just text",
        "[]",
        "clusters: 3",
        "contexts: [{context: x}]",
    ],
)
def test_what_has_no_relative_path_is_left_as_it_is(text: str, conf: Path) -> None:
    assert flattened(text, conf) == text


def test_data_is_stronger_than_a_path(conf: Path) -> None:
    document = read(flattened(one({"certificate-authority": "none.pem", "certificate-authority-data": "Yg=="}), conf))
    assert document["clusters"][0]["cluster"] == {"server": "https://x", "certificate-authority-data": "Yg=="}


def test_a_file_that_is_not_there_is_named_by_its_whole_path(conf: Path) -> None:
    with pytest.raises(KubeconfigInvalid) as caught:
        flattened(one({"certificate-authority": "none.pem"}), conf)
    assert caught.value.record.message == (
        f"certificate-authority of the kubeconfig cannot be read: No such file or directory: {conf}/none.pem"
    )


def test_the_files_of_other_contexts_need_not_be_there(conf: Path) -> None:
    text = json.dumps(
        a_kubeconfig(
            clusters=[
                {"name": "c", "cluster": {"server": "https://x", "certificate-authority": "ca.pem"}},
                {"name": "d", "cluster": {"server": "https://y", "certificate-authority": "none.pem"}},
            ],
            contexts=[
                {"name": "x", "context": {"cluster": "c", "user": "u"}},
                {"name": "y", "context": {"cluster": "d", "user": "u"}},
            ],
        )
    )
    assert read(flattened(text, conf))["clusters"] == [
        {
            "name": "c",
            "cluster": {"server": "https://x", "certificate-authority-data": encoded("the content of ca.pem")},
        },
        {"name": "d", "cluster": {"server": "https://y", "certificate-authority": str(conf / "none.pem")}},
    ]
    with pytest.raises(KubeconfigInvalid, match="certificate-authority of the kubeconfig cannot be read"):
        flattened(text, conf, context="y")


@pytest.mark.parametrize(
    ("text", "says", "way_out"),
    [
        (
            one({"certificate-authority": "ca.pem"}),
            "certificate-authority of the kubeconfig is the relative path ca.pem",
            "give it as ${file:PATH}, or make it self-contained: kubectl config view --flatten --minify",
        ),
        (
            one(user={"tokenFile": "token"}),
            "tokenFile of the kubeconfig is the relative path token",
            "give it as ${file:PATH}, or make it self-contained: kubectl config view --flatten --minify",
        ),
        (
            one(user={"exec": {"apiVersion": "v1", "command": "./tok.sh"}}),
            "exec.command of the kubeconfig is the relative path ./tok.sh",
            "give the kubeconfig as ${file:PATH}, or write the whole path of the command",
        ),
    ],
)
def test_a_text_without_a_folder_must_have_no_relative_path(text: str, says: str, way_out: str) -> None:
    with pytest.raises(KubeconfigInvalid) as caught:
        parse(text)
    assert (caught.value.record.message, caught.value.record.hint) == (says, way_out)
