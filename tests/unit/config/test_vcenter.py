"""The file's vCenter is that of every stack that works in one, unless the stack names its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from aiinfra.catalog import Catalog
from aiinfra.config import Loaded, load_environment
from aiinfra.domains.vsphere.block import VCenterSpec
from aiinfra.errors import ConfigError
from aiinfra.plan.secrets import needed_secrets, read_secrets
from aiinfra.stack import Input, Inputs, Outputs, StackName, StackType
from tests.unit.site import a_world


class VmTaken(Inputs):
    vcenter: VCenterSpec
    size: int = 1
    verify: bool = False


class VmGiven(Outputs):
    name: Input[str]


CATALOG = Catalog.of(
    StackType("vm", "A VM.", VmTaken, VmGiven, "none:none", connection=("vcenter",), lab_defaults={"verify": True})
)
SHARED = "vcenter: {host: vc, user: '${env:U}', password: '${env:P}', ca: '${file:ca.pem}'}\n"
HEAD = "version: v1\nname: site\n"
TWO = "stacks:\n  a: {kind: vm}\n  b:\n    kind: vm\n    vcenter: {host: other, user: me, password: '${env:B}'}\n"


def load(folder: Path, text: str, target: Literal["lab"] | None = None) -> Loaded:
    (folder / "site.yaml").write_text(HEAD + text)
    return load_environment("site.yaml", world=a_world(folder), catalog=CATALOG, target=target)


def says(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [str(problem) for problem in caught.value.problems]


def vcenter(loaded: Loaded, stack: Any) -> VCenterSpec:
    told = loaded.plan.steps[stack].inputs
    assert isinstance(told, VmTaken)
    return told.vcenter


def test_a_stack_works_in_the_file_s_vcenter_or_in_its_own(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHARED + TWO)
    shared, own = vcenter(loaded, "a"), vcenter(loaded, "b")
    assert (shared.host, str(shared.password), str(shared.ca)) == ("vc", "${env:P}", "${file:ca.pem}")
    assert (own.host, str(own.password), own.ca) == ("other", "${env:B}", "")


def test_explain_says_where_it_comes_from(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHARED + TWO)
    assert [layer.source for layer in loaded.origins(("stacks", "a", "vcenter", "host"))] == [
        "the file's vcenter block"
    ]


def test_a_missing_secret_is_said_once_where_it_is_written(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHARED + "stacks:\n  a: {kind: vm}\n  c: {kind: vm}\n")
    with pytest.raises(ConfigError) as caught:
        read_secrets(loaded.plan, a_world(tmp_path), loaded.path, where=loaded.where)
    assert [problem.path for problem in caught.value.problems] == ["vcenter.user", "vcenter.password", "vcenter.ca"]


def test_a_mistake_in_the_file_s_block_is_said_once(tmp_path: Path) -> None:
    assert says(tmp_path, "vcenter: {host: vc, user: u, pasword: p}\nstacks:\n  a: {kind: vm}\n") == [
        "site.yaml:3:1: vcenter.password: is required (wants text)",
        "site.yaml:3:30: vcenter.pasword: no such key here (did you mean password?)",
    ]


def test_without_any_the_stack_says_what_it_lacks(tmp_path: Path) -> None:
    assert says(tmp_path, "stacks:\n  a: {kind: vm}\n") == [
        "site.yaml:4:3: stacks.a.vcenter: is required (wants a map (VCenterSpec))"
    ]


def test_a_lab_gives_its_own_and_reads_no_secret_of_a_real_one(tmp_path: Path) -> None:
    for text in (SHARED + TWO, TWO):
        loaded = load(tmp_path, text, "lab")
        assert needed_secrets(loaded.plan) == []
        for stack in ("a", "b"):
            told = vcenter(loaded, stack)
            assert (told.host, told.ca, told.fingerprint, told.insecure) == ("lab", "", "", False)


def test_a_default_may_be_another_in_a_lab(tmp_path: Path) -> None:
    for target, verify, source in (("lab", True, "default for target lab"), (None, False, "default for target real")):
        loaded = load(tmp_path, SHARED + TWO, target)  # type: ignore[arg-type]
        told = loaded.plan.steps[StackName("a")].inputs
        assert isinstance(told, VmTaken)
        assert told.verify is verify
        assert [layer.source for layer in loaded.origins(("stacks", "a", "verify"))] == [source]


def test_there_is_one_way_to_trust_a_certificate(tmp_path: Path) -> None:
    block = f"vcenter: {{host: vc, user: u, password: p, insecure: true, fingerprint: '{'AB:' * 31}AB'}}\n"
    assert says(tmp_path, block + "stacks:\n  a: {kind: vm}\n") == [
        "site.yaml:3:10: vcenter: fingerprint and insecure say how to trust the certificate; only one of them can"
    ]


def test_a_fingerprint_is_sha_256(tmp_path: Path) -> None:
    block = "vcenter: {host: vc, user: u, password: p, fingerprint: 'AB:CD'}\n"
    assert says(tmp_path, block + "stacks:\n  a: {kind: vm}\n") == [
        "site.yaml:3:56: vcenter.fingerprint: wants SHA-256: 64 hexadecimal digits, with or without colons"
    ]
