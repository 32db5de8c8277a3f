"""References and secrets: does what is named exist, and does it fit?"""

from __future__ import annotations

import pytest

from tests.unit.site import Site


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("title: ${clutser}", "9:12: stacks.app.title: no stack is named clutser (did you mean cluster?)"),
        ("title: ${app.url}", "9:12: stacks.app.title: app cannot need itself"),
        ("title: ${cluster.servr}", "9:12: stacks.app.title: the stack cluster has no output servr (did you mean ${cluster.server}?)"),
        ("title: ${cluster.size.zon}", "9:12: stacks.app.title: ${cluster.size} has no output zon (did you mean ${cluster.size.zone}?)"),
        ("title: ${cluster.server.host}", "9:12: stacks.app.title: ${cluster.server} is text, which has no part host (write ${cluster.server})"),
        ("title: ${cluster}", "9:12: stacks.app.title: wants text, but ${cluster} (kind cluster) gives the record ClusterGiven (of that type are ${cluster.kubeconfig}, ${cluster.server}, ${cluster.tier})"),
        ("title: ${cluster.size}", "9:12: stacks.app.title: wants text, but ${cluster.size} (kind cluster) gives a map (Size) (write ${cluster.size.zone})"),
        ("title: ${cluster.note}", "9:12: stacks.app.title: wants text, but ${cluster.note} (kind cluster) gives text or nothing (of that type are ${cluster.kubeconfig}, ${cluster.server}, ${cluster.tier})"),
        ("title: ${cluster.zones}", "9:12: stacks.app.title: wants text, but ${cluster.zones} (kind cluster) gives a list of text (of that type are ${cluster.kubeconfig}, ${cluster.server}, ${cluster.tier})"),
        ("count: ${cluster.server}", "9:12: stacks.app.count: wants a whole number, but ${cluster.server} (kind cluster) gives text"),
        ("count: ${cluster.share}", "9:12: stacks.app.count: wants a whole number, but ${cluster.share} (kind cluster) gives a number"),
        ("count: ${cluster.ready}", "9:12: stacks.app.count: wants a whole number, but ${cluster.ready} (kind cluster) gives true or false"),
        ("ready: ${cluster.size.nodes}", "9:12: stacks.app.ready: wants true or false, but ${cluster.size.nodes} (kind cluster) gives a whole number (write ${cluster.ready})"),
        ("tier: ${cluster.server}", "9:11: stacks.app.tier: wants gold, silver or iron, but ${cluster.server} (kind cluster) gives text (write ${cluster.tier})"),
        ("zones: ${cluster.labels}", "9:12: stacks.app.zones: wants a list of text, but ${cluster.labels} (kind cluster) gives a map of text (write ${cluster.zones})"),
        ("link: ${cluster}", "9:11: stacks.app.link: wants the record AppGiven, but ${cluster} (kind cluster) gives the record ClusterGiven"),
        ("link: ${cluster.server}", "9:11: stacks.app.link: wants the record AppGiven, but ${cluster.server} (kind cluster) gives text"),
        ("count: ${env:COUNT}", "9:12: stacks.app.count: wants a whole number, but ${env:COUNT} gives text"),
        ("link: ${env:LINK}", "9:11: stacks.app.link: wants the record AppGiven, but ${env:LINK} gives text"),
        ("depends_on: [clutser]", "9:18: stacks.app.depends_on[0]: no stack is named clutser (did you mean cluster?)"),
        ("depends_on: [app]", "9:18: stacks.app.depends_on[0]: app cannot need itself"),
        ("depends_on: cluster", "9:17: stacks.app.depends_on: wants a list, got 'cluster'"),
        ("depends_on: [Bad_Name]", "9:18: stacks.app.depends_on[0]: wants text that matches ^[a-z][a-z0-9_-]{0,39}$, got 'Bad_Name'"),
    ],
)  # fmt: skip
def test_a_reference_that_does_not_fit(site: Site, line: str, says: str) -> None:
    assert site.app([line]) == [says]


@pytest.mark.parametrize(
    "line",
    [
        "title: ${cluster.server}", "title: ${cluster.tier}", "title: ${cluster.size.zone}", "title: ${cluster.kubeconfig}",
        "title: ${cluster.labels.any-key}", "title: ${cluster.extra}", "title: ${cluster.extra.deep.down}",
        "count: ${cluster.size.nodes}", "share: ${cluster.share}", "share: ${cluster.size.nodes}", "ready: ${cluster.ready}",
        "zones: ${cluster.zones}", "zones: [a, b]", "names: ['${cluster.server}', a]", "settings: {a: '${cluster.server}'}",
        "tier: ${cluster.tier}", "size: ${cluster.size}", "doors: [{host: '${cluster.server}'}]", "depends_on: [cluster]",
    ],
)  # fmt: skip
def test_a_reference_that_fits(site: Site, line: str) -> None:
    assert site.app([line]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x ${cluster}", "a reference or secret source must be the whole value (write it alone, or $${ for a literal ${)"),
        ("${cluster}${cluster}", "a reference or secret source must be the whole value (write it alone, or $${ for a literal ${)"),
        ("${cluster", "a reference or secret source must be the whole value (write it alone, or $${ for a literal ${)"),
        ("$${a} ${b}", "a reference or secret source must be the whole value (write it alone, or $${ for a literal ${)"),
        ("${}", "${} is neither a reference nor a secret source (write ${stack}, ${stack.output}, ${env:NAME} or ${file:PATH})"),
        ("${a b}", "${a b} is neither a reference nor a secret source (write ${stack}, ${stack.output}, ${env:NAME} or ${file:PATH})"),
        ("${cluster.}", "${cluster.} is neither a reference nor a secret source (write ${stack}, ${stack.output}, ${env:NAME} or ${file:PATH})"),
        ("${Cluster}", "${Cluster} is neither a reference nor a secret source (write ${stack}, ${stack.output}, ${env:NAME} or ${file:PATH})"),
        ("${vault:a/b}", "'vault' is no source of secrets (sources are ${env:NAME} and ${file:PATH})"),
        ("${env:}", "'' is not a name of an environment variable (write ${env:NAME})"),
        ("${env:A-B}", "'A-B' is not a name of an environment variable (write ${env:NAME})"),
        ("${file:}", "the path of the file is empty (write ${file:PATH})"),
    ],
)  # fmt: skip
def test_a_late_value_that_is_not_well_formed(site: Site, text: str, says: str) -> None:
    assert site.app([f"title: '{text}'"]) == [f"9:12: stacks.app.title: {says}"]


def test_a_bigger_record_fits_where_a_smaller_is_wanted(site: Site) -> None:
    site.write("site.yaml", (site.folder / "site.yaml").read_text().replace("kind: cluster", "kind: big_cluster"))
    assert site.says() == []


def test_a_reference_to_a_stack_of_a_kind_that_is_unknown_is_not_judged_twice(site: Site) -> None:
    site.write("site.yaml", (site.folder / "site.yaml").read_text().replace("kind: cluster", "kind: clster"))
    assert site.says() == ["site.yaml:5:11: stacks.cluster.kind: no kind is named clster (did you mean cluster?)"]


def test_a_reference_outside_the_stacks(site: Site) -> None:
    text = "state: {url: '${cluster.server}'}\n"
    site.write("site.yaml", (site.folder / "site.yaml").read_text() + text)
    assert site.says() == [
        "site.yaml:9:14: state.url: takes no reference, so ${cluster.server} cannot stand here (write the value itself)"
    ]
    vcenter = "vcenter: {host: '${cluster.server}', user: u, password: '${env:P}'}\n"
    site.write("site.yaml", (site.folder / "site.yaml").read_text().replace(text, vcenter))
    assert site.says() == [
        "site.yaml:9:17: vcenter.host: ${cluster.server} cannot stand here: only stacks refer to stacks (write the value itself)"
    ]


def test_a_circle_is_named_in_full(site: Site) -> None:
    site.write(
        "site.yaml",
        "version: v1\nname: site\nstacks:\n"
        "  a: {kind: big_cluster, kubeconfig: '${c.url}'}\n"
        "  b: {kind: app, cluster: '${a}'}\n"
        "  c: {kind: app, cluster: '${a}', link: '${b}'}\n"
        "  d: {kind: cluster, depends_on: [e]}\n"
        "  e: {kind: cluster, depends_on: [d]}\n"
        "  f: {kind: cluster, depends_on: [e]}\n",
    )
    assert site.says() == [
        "site.yaml:4:38: stacks.a.kubeconfig: the stacks need each other in a circle: a → c → a (take one of these references out)",
        "site.yaml:7:34: stacks.d.depends_on: the stacks need each other in a circle: d → e → d (take one of these references out)",
    ]
