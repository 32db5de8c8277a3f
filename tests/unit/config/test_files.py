"""Files that cannot be read, or not to their end, and the document around the stacks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aiinfra.domains.vsphere.block import VCenterSpec
from tests.unit.site import GOOD, Site

HEAD = "version: v1\nname: site\n"
STACKS = "stacks: {cluster: {kind: cluster}}\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "site.yaml: the file is empty (aiinfra init writes a first one)"),
        (b"# only a comment\n", "site.yaml: the file is empty (aiinfra init writes a first one)"),
        (b"- a\n- b\n", "site.yaml:1:1: an environment file is a map (begin with version: v1)"),
        (b"hello\n", "site.yaml:1:1: an environment file is a map (begin with version: v1)"),
        (b"version: v1\nname: \xff\xfe\n", "site.yaml: is not UTF-8: byte 0xff in line 2 (save it as UTF-8)"),
        (b"a: b\n" * 300_000, "site.yaml: is larger than 1 MiB, too large for an environment file (split it with extends)"),
        (b"a: \x07\n", "site.yaml:1:4: is not YAML: the character U+0007 cannot stand here"),
        (b"a: b\n\tc: d\n", "site.yaml:2:1: is not YAML: while scanning for the next token, found character '\\t' that cannot start any token (indent with spaces)"),
        (b"a: [b\n", "site.yaml:2:1: is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        (b"a: {b: ${c}}\n", "site.yaml:1:9: is not YAML: while parsing a flow mapping, expected ',' or '}', but got '{' (inside {\xe2\x80\xa6} and [\xe2\x80\xa6] a reference needs quotes: \"${cluster}\")".encode("latin-1").decode()),
        (b"a: " + b"[" * 60 + b"]" * 60, "site.yaml:1:44: comes to more than 50000 values, or 40 levels (split it with extends)"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_to_its_end(site: Site, content: bytes, says: str) -> None:
    site.write("site.yaml", content)
    assert site.says() == [says]


def test_a_bomb_of_anchors_is_refused(site: Site) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    site.write("site.yaml", "\n".join(lines))
    assert site.says() == ["site.yaml:1:10: comes to more than 50000 values, or 40 levels (use fewer anchors)"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("name: other\n", "site.yaml:4:1: name: the key name stands here twice, first in line 2"),
        ("1: x\n", '4:1: a key must be text, not 1 (quote it: "1")'),
        ("null: x\n", 'site.yaml:4:1: a key must be text, not null (quote it: "null")'),
        ("[a]: x\n", 'site.yaml:4:1: a key must be text, not a list or a map (inside {…} a reference needs quotes: "${cluster}")'),
        ("lab: {clusters: !foo {}}\n", "site.yaml:4:17: lab.clusters: the tag !foo is not understood (write plain values, quoted when they are text)"),
        ("lab: &a {clusters: {b: *a}}\n", "site.yaml:4:24: lab.clusters.b: *a stands inside what it names"),
        ("lab: *a\n", "site.yaml:4:6: lab: no anchor is named &a before this"),
        ("<<: {a: b}\n", "site.yaml:4:1: merge keys are not understood (take extends, or repeat the keys)"),
        ("state: {url: .nan}\n", 'site.yaml:4:14: state.url: .nan is not a number that can be used (quote it if it is text: ".nan")'),
        ("state: {url: 1e999}\n", "site.yaml:4:14: state.url: the number 1e999 is too large (quote it if it is text)"),
        ("state: {url: 99999999999999999999}\n", "site.yaml:4:14: state.url: the number 99999999999999999999… is too large (quote it if it is text)"),
        ('state: {url: "a\\0b"}\n', "site.yaml:4:14: state.url: a NUL character cannot stand in a value"),
        ("---\na: b\n", "site.yaml:4:1: a second document starts here (one file holds one environment)"),
        ("stats: {}\n", "site.yaml:4:1: stats: no such key here (did you mean state?)"),
        ("target: lap\n", "site.yaml:4:9: target: wants real or lab, got 'lap' (did you mean lab?)"),
        ("state: {secrets: vault}\n", "site.yaml:4:18: state.secrets: wants passphrase or awskms://, gcpkms://, azurekeyvault://, hashivault://, got 'vault'"),
        ("state: {secrets: 'awskms://'}\n", "site.yaml:4:18: state.secrets: 'awskms://' does not name a key"),
        ("state: {url: 'ftp://me:word@host/states?key=word'}\n", "site.yaml:4:14: state.url: wants file://, s3://, gs:// or azblob://, got 'ftp://host/states'"),
        ("state: {url: 's3:///folder?region=x'}\n", "site.yaml:4:14: state.url: 's3:///folder' does not name a bucket"),
        ("state: {url: 's3://[states'}\n", "site.yaml:4:14: state.url: 's3://[states' is not a URL"),
        ("state: {url: 'file://'}\n", "site.yaml:4:14: state.url: 'file://' does not name a folder"),
        ("vcenter: {host: h, user: u}\n", "site.yaml:4:1: vcenter.password: is required (wants text)"),
        ("vcenter: {host: h, user: u, password: 12345}\n", "site.yaml:4:39: vcenter.password: wants text, got a number (put it in quotes)"),
        ("lab: {clusters: {c: {nodes: {n: {count: -1}}}}}\n", "site.yaml:4:41: lab.clusters.c.nodes.n.count: wants at least 0, got the number -1"),
        ("lab: {clusters: {c: {platform: kubernets}}}\n", "site.yaml:4:32: lab.clusters.c.platform: wants kubernetes, got 'kubernets' (did you mean kubernetes?)"),
    ],
)  # fmt: skip
def test_one_thing_wrong_around_the_stacks(site: Site, lines: str, says: str) -> None:
    site.write("site.yaml", HEAD + STACKS + lines)
    assert site.says() == [says if says.startswith("site") else f"site.yaml:{says}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: site\n" + STACKS, "site.yaml:1:1: version: is required (wants v1)"),
        ("version: v2\nname: site\n" + STACKS, "site.yaml:1:10: version: wants v1, got 'v2'"),
        ("version: v1\n" + STACKS, "site.yaml:1:1: name: is required (wants text)"),
        ("version: v1\nname: sight\n" + STACKS, "site.yaml:2:7: name: is sight, but the file is named site (write name: site, or rename the file)"),
        (HEAD, "site.yaml:1:1: stacks: is required (wants a map)"),
        (HEAD + "stacks:\n", "site.yaml:3:1: stacks: wants a map, got nothing"),
        (HEAD + "stacks: {}\n", "site.yaml:3:9: stacks: wants at least 1 entry, got a map"),
        (HEAD + "stacks: [a]\n", "site.yaml:3:9: stacks: wants a map, got a list"),
        (HEAD + "stacks: {a: b}\n", "site.yaml:3:13: stacks.a: wants a map, got 'b'"),
        (HEAD + "stacks: {a: {}}\n", "site.yaml:3:10: stacks.a.kind: is required (wants text)"),
        (HEAD + "stacks: {a: {kind: 3}}\n", 'site.yaml:3:20: stacks.a.kind: wants text, got the number 3 (quote it: "3")'),
        (HEAD + "stacks: {a: {kind: clutser}}\n", "site.yaml:3:20: stacks.a.kind: no kind is named clutser (did you mean cluster?)"),
        (HEAD + "stacks: {A: {kind: cluster}}\n", "site.yaml:3:10: stacks.A: 'A' is not a name of the form ^[a-z][a-z0-9_-]{0,39}$"),
        (HEAD + "stacks: {a: {kind: app, cluster: b}, b: {kind: cluster}}\n", "site.yaml:3:34: stacks.a.cluster: wants a reference to another stack such as ${cluster}, got 'b'"),
    ],
)  # fmt: skip
def test_one_thing_wrong_in_the_frame(site: Site, text: str, says: str) -> None:
    site.write("site.yaml", text)
    assert site.says() == [says]


def test_all_problems_are_said_at_once_in_the_order_of_the_file(site: Site) -> None:
    site.write(
        "site.yaml",
        "version: v2\ntarget: lap\nname: site\nname: site\nstacks:\n"
        "  app: {kind: app, cluster: '${b}', count: x, titel: y}\n"
        "  b: {kind: clster}\n"
        "  c: {kind: app, cluster: '${d}'}\n",
    )
    assert site.says() == [
        "site.yaml:1:10: version: wants v1, got 'v2'",
        "site.yaml:2:9: target: wants real or lab, got 'lap' (did you mean lab?)",
        "site.yaml:4:1: name: the key name stands here twice, first in line 3",
        "site.yaml:6:44: stacks.app.count: wants a whole number, got 'x'",
        "site.yaml:6:47: stacks.app.titel: no such key here (did you mean title?)",
        "site.yaml:7:13: stacks.b.kind: no kind is named clster (did you mean cluster?)",
        "site.yaml:8:27: stacks.c.cluster: no stack is named d (known are app, b)",
    ]


def test_a_folder_a_pipe_and_a_file_without_rights(site: Site) -> None:
    (site.folder / "dir.yaml").mkdir()
    os.mkfifo(site.folder / "pipe.yaml")
    assert site.says("dir.yaml") == ["dir.yaml: is a folder, not a file (name a file in it)"]
    assert site.says("pipe.yaml") == ["pipe.yaml: is not a regular file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights(site: Site) -> None:
    site.write("site.yaml", GOOD).chmod(0)
    assert site.says() == ["site.yaml: cannot be read: Permission denied"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(site: Site) -> None:
    site.write("site.yaml", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert site.says() == []


class TestExtends:
    def test_maps_merge_and_everything_else_is_replaced(self, site: Site) -> None:
        site.write(
            "_base.yaml",
            "version: v1\nstacks:\n  cluster: {kind: cluster, region: south}\n  app: {kind: app, zones: [a, b], title: base}\n",
        )
        site.write(
            "site.yaml", "extends: [_base.yaml]\nname: site\nstacks:\n  app: {cluster: '${cluster}', zones: [c]}\n"
        )
        app = site.load().environment.stacks["app"].inputs  # type: ignore[index]  # a plain name
        assert {**app, "cluster": str(app["cluster"])} == {"zones": ["c"], "title": "base", "cluster": "${cluster}"}

    def test_a_later_base_is_stronger_and_a_base_may_have_bases(self, site: Site) -> None:
        site.write(
            "deep/_root.yaml",
            "state: {url: 's3://root', secrets: passphrase}\nvcenter: {host: root, user: root, password: '${env:P}'}\n",
        )
        site.write("deep/_a.yaml", "extends: [_root.yaml]\nstate: {url: 's3://a'}\n")
        site.write("_b.yaml", "state: {url: 's3://b'}\n")
        site.write("site.yaml", "extends: [deep/_a.yaml, _b.yaml]\n" + GOOD)
        environment = site.load().environment
        block = environment.blocks["vcenter"]
        assert isinstance(block, VCenterSpec)
        assert (environment.state.url, block.host) == ("s3://b", "root")

    def test_a_problem_is_said_where_it_was_written(self, site: Site) -> None:
        site.write("deep/_base.yaml", "stacks:\n  app:\n    count: x\n")
        site.write("site.yaml", "extends: [deep/_base.yaml]\n" + GOOD)
        assert site.says() == ["deep/_base.yaml:3:12: stacks.app.count: wants a whole number, got 'x'"]

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("extends: [_none.yaml]", "site.yaml:1:11: extends[0]: _none.yaml does not exist"),
            ("extends: _base.yaml", "site.yaml:1:10: extends: wants a list of files, relative to this one (write extends: [_base.yaml])"),
            ("extends: [3]", "site.yaml:1:11: extends[0]: wants a list of files, relative to this one (write extends: [_base.yaml])"),
            ("extends: [site.yaml]", "site.yaml:1:11: extends[0]: the files extend each other in a circle: site.yaml → site.yaml"),
            ("extends: [sub]", "site.yaml:1:11: extends[0]: sub is a folder, not a file (name a file in it)"),
            ("extends: [_loop.yaml]", "_loop.yaml:1:11: extends[0]: the files extend each other in a circle: site.yaml → _loop.yaml → site.yaml"),
            ("extends: [_broken.yaml]", "_broken.yaml:2:1: is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"),
        ],
    )  # fmt: skip
    def test_a_base_that_cannot_be_had(self, site: Site, line: str, says: str) -> None:
        (site.folder / "sub").mkdir()
        site.write("_loop.yaml", "extends: [site.yaml]\n")
        site.write("_broken.yaml", "a: [b\n")
        site.write("site.yaml", f"{line}\n{GOOD}")
        assert site.says() == [says]

    def test_a_base_reached_by_two_ways_is_read_once(self, site: Site) -> None:
        site.write("_root.yaml", "stacks: {app: {count: x}}\n")
        site.write("_a.yaml", "extends: [_root.yaml]\n")
        site.write("_b.yaml", "extends: [_root.yaml]\n")
        site.write("site.yaml", "extends: [_a.yaml, _b.yaml]\n" + GOOD)
        assert site.says() == ["_root.yaml:1:23: stacks.app.count: wants a whole number, got 'x'"]


def test_the_path_is_shown_as_the_user_would_name_it(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    site = Site(tmp_path / "here")
    site.write("../elsewhere/site.yaml", "")
    elsewhere = tmp_path / "elsewhere" / "site.yaml"
    assert site.says("../elsewhere/site.yaml") == [f"{elsewhere}: the file is empty (aiinfra init writes a first one)"]
