"""kill -9 at any moment of `up lab` and `destroy lab`: the next run converges, with nothing doubled or orphaned.

The cluster's API server is asked, not the state. A `waiting` event comes from inside a Create or Delete that has
changed the world and has not answered. A supervisor that is killed takes its world with it: the next run says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from aiinfra.domains.kubernetes.client.objects import ObjectRef
from tests.integration.spine.census import standing
from tests.integration.spine.lab_site import lab_folder, place_example, processes_of
from tests.integration.spine.site import Site
from tests.integration.spine.strikes import Moment, Struck, strike

pytestmark = [pytest.mark.engine, pytest.mark.lab]
Make = Callable[..., Site]
KEEP = ("--keep-lab",)


def up(type: str, stack: str = "", about: str = "") -> Moment:
    return Moment("up", type, stack, about)


def releasing(stack: str, seen: ObjectRef) -> Moment:
    """Inside the Create of a Helm release, once this object of it stands."""
    return Moment("up", "started", stack, "helm.sh/v3:Release", seen=seen)


def down(type: str, stack: str = "", about: str = "") -> Moment:
    return Moment("destroy", type, stack, about, KEEP)


OPERATOR_RECORD = ObjectRef("v1", "Secret", "sh.helm.release.v1.gpu-operator.v1", "gpu-operator")
NFD_RECORD = ObjectRef("v1", "Secret", "sh.helm.release.v1.node-feature-discovery.v1", "node-feature-discovery")
POLICIES = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "clusterpolicies.nvidia.com")
OPERATOR = ObjectRef("apps/v1", "Deployment", "gpu-operator", "gpu-operator")
NFD_WORKER = ObjectRef("apps/v1", "DaemonSet", "node-feature-discovery-worker", "node-feature-discovery")
UPS = (
    (releasing("gpu-operator", OPERATOR), "both"),
    (up("waiting", "gpu-proof", "Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 to finish"), "caller"),
    (up("waiting", "gpu-operator", "ClusterPolicy cluster-policy: not ready"), "engine"),
    (releasing("nfd", NFD_WORKER), "both"),
    (up("waiting", "gpu-proof", "Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 to finish"), "both"),
    (up("started", "nfd", "helm.sh/v3:Release"), "caller"),
    (up("waiting", "gpu-proof", "Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 to finish"), "supervisor"),
    (up("message", about="supervisor started"), "caller"),
    (up("done", "gpu-operator", "helm.sh/v3:Release"), "both"),
    (releasing("gpu-operator", OPERATOR_RECORD), "engine"),
    (up("waiting", "gpu-operator", "state-device-plugin"), "supervisor"),
    (up("done", "nfd", "CustomResourceDefinitions"), "caller"),
    (up("waiting", "gpu-proof", "Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 to finish"), "engine"),
    (up("stack_ended", "gpu-proof"), "both"),
    (releasing("nfd", NFD_RECORD), "caller"),
    (up("started", "nfd", "Bundle"), "engine"),
)
DOWNS = (
    (down("waiting", "gpu-operator", "Namespace gpu-operator to be gone"), "engine"),
    (down("waiting", "nfd", "node-feature-discovery-prune: it has not completed"), "both"),
    (down("waiting", "gpu-operator"), "caller"),
    (down("started", "nfd", "CustomResourceDefinitions"), "engine"),
    (down("started", "gpu-operator", "helm.sh/v3:Release"), "both"),
    (down("started", "gpu-operator", "CustomResourceDefinitions"), "caller"),
    (down("started", "gpu-proof"), "engine"),
    (down("waiting", "nfd", "Namespace node-feature-discovery to be gone"), "supervisor"),
    (down("waiting", "nfd", "Namespace node-feature-discovery to be gone"), "both"),
    (down("stack_ended", "cluster"), "caller"),
    (down("waiting", "gpu-operator", "Namespace gpu-operator to be gone"), "supervisor"),
    (down("done", "nfd", "helm.sh/v3:Release"), "both"),
    (down("waiting", "gpu-operator", "Namespace gpu-operator to be gone"), "caller"),
    (down("started", "nfd", "helm.sh/v3:Release"), "engine"),
    (down("stack_ended", "gpu-operator"), "both"),
    (down("started", "cluster"), "caller"),
)
NASTIEST = (
    (releasing("nfd", NFD_WORKER), "both", "destroy"),
    (releasing("gpu-operator", OPERATOR), "both", "destroy"),
    (up("waiting", "gpu-proof", "Job gpu-operator/aiinfra-gpu-proof-proof-gpu-0 to finish"), "both", "destroy"),
    (releasing("gpu-operator", POLICIES), "engine", "up"),
    (down("waiting", "gpu-operator", "Namespace gpu-operator to be gone"), "caller", "up"),
    (down("waiting", "nfd", "node-feature-discovery-prune: it has not completed"), "supervisor", "destroy"),
)
Round = tuple[Moment, str, str]


def rounds() -> Iterator[Round]:
    """Each moment comes where its verb can be run: after an `up` stands the platform, after a `destroy` nothing."""
    ups, downs = iter(UPS), iter(DOWNS)
    for _ in range(len(UPS) // 2):
        yield (*next(ups), "up")
        yield (*next(downs), "up")
        yield (*next(downs), "destroy")
        yield (*next(ups), "destroy")


@dataclass(frozen=True)
class Reference:
    """What an undisturbed run leaves in the cluster."""

    up: Sequence[str]
    destroy: Sequence[str]


@pytest.fixture
def site(make_site: Make, lab_servers: Mapping[str, Path]) -> Iterator[Site]:
    made = make_site({"unused": {"kind": "things"}}, environment="lab")
    place_example(made)
    yield made
    folder = lab_folder(made)
    made.run("lab", "stop", "lab")
    assert folder is None or processes_of(folder) == []


def undisturbed(site: Site) -> Reference:
    assert site.result("up", "--only", "cluster")["exit_code"] == 0
    empty = standing(site)
    assert site.result("up")["exit_code"] == 0
    whole = standing(site)
    assert len(whole) > len(empty) + 50
    assert site.result("destroy", *KEEP)["exit_code"] == 0
    assert standing(site) == empty
    return Reference(up=whole, destroy=empty)


def following(site: Site, verb: str, victim: str, reference: Reference) -> None:
    """The next run: it needs no hand work, and the world is as if nothing had happened."""
    before = lab_folder(site)
    done = site.run(verb, "lab", "--yes", *(KEEP if verb == "destroy" else ()))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    if victim == "supervisor":
        assert "discarded the dead lab of " in done.stdout
    if victim == "supervisor" and verb == "destroy":
        assert before is not None
        assert not before.exists()
        assert processes_of(before) == []
        return
    assert standing(site) == getattr(reference, verb)


def campaign(site: Site, strikes: Sequence[Round]) -> list[Struck]:
    reference = undisturbed(site)
    felt = []
    for moment, victim, verb in strikes:
        platform = lab_folder(site) is not None and standing(site) == reference.up
        if platform != (moment.verb == "destroy"):
            assert site.result({"up": "destroy", "destroy": "up"}[moment.verb], *(KEEP * platform))["exit_code"] == 0
        struck = strike(site, moment, victim)
        assert site.stderr.read_text() == ""
        if victim in ("engine", "supervisor"):
            assert struck.code in (3, 4), struck
        felt.append(struck)
        following(site, verb, victim, reference)
    return felt


def test_a_few_kills_inside_a_create_or_delete(site: Site) -> None:
    felt = campaign(site, NASTIEST)
    assert [struck.inside for struck in felt] == [True] * len(NASTIEST)


def test_a_lab_that_had_only_begun_is_taken_down(site: Site) -> None:
    assert strike(site, up("message", about="supervisor started"), "caller").came
    gone = site.result("destroy")
    assert (gone["exit_code"], gone["errors"]) == (0, [])
    assert lab_folder(site) is None


@pytest.mark.slow
def test_thirty_two_kills(site: Site) -> None:
    felt = campaign(site, list(rounds()))
    assert len(felt) == 32
    assert [struck.came for struck in felt] == [True] * 32
    assert len([struck for struck in felt if struck.inside]) >= 11


@pytest.mark.slow
def test_a_destroy_that_is_killed_too_still_knows_what_a_chart_left(site: Site) -> None:
    reference = undisturbed(site)
    assert strike(site, releasing("nfd", NFD_WORKER), "both").inside
    assert strike(site, down("done", "nfd", "Bundle"), "both").came
    following(site, "destroy", "both", reference)
