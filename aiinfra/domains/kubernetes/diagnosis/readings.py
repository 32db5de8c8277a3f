"""What messages of Kubernetes and of NVIDIA's software mean, as tables: a pattern, a sentence, a way out.

Sentences and hints are templates over the pattern's groups and the facts that the caller knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight


@dataclass(frozen=True, slots=True)
class Reading:
    pattern: re.Pattern[str]
    says: str
    hint: str
    weight: Weight = Weight.BROKEN


def _reading(pattern: str, says: str, hint: str, weight: Weight = Weight.BROKEN) -> Reading:
    return Reading(re.compile(pattern, re.I), says, hint, weight)


NO_IMAGE = r"not found|manifest unknown|does not exist|name unknown"
IMAGE: Sequence[Reading] = (
    _reading(
        r"unauthorized|authentication required|no basic auth|denied|forbidden",
        "the registry refuses to give image {image}: the pull secret is missing or wrong",
        "give a pull secret that may read it",
    ),
    _reading(
        r"toomanyrequests|rate limit|429",
        "the registry limits how often image {image} may be pulled",
        "log in to the registry, or use a mirror",
    ),
    _reading(
        r"no such host|i/o timeout|connection refused|network is unreachable|tls:|x509|proxyconnect|EOF",
        "the registry of image {image} cannot be reached from {node}",
        "check the node's proxy, DNS and certificates, or use a mirror",
    ),
    _reading(
        r"no match for platform|no matching manifest",
        "image {image} is not made for the processor of {node}",
        "use an image for this architecture",
    ),
    _reading(
        NO_IMAGE,
        "image {image} does not exist",
        "correct its name and version, or bring it into the registry",
    ),
    _reading(
        r"invalid reference|InvalidImageName|couldn't parse image", "{image} is no image name", "correct the name"
    ),
)
"""Waiting messages of containers whose image cannot be had (containerd, CRI-O, kubelet)."""

DRIVER_IMAGE: Sequence[Reading] = (
    _reading(
        NO_IMAGE,
        "image {image} does not exist",
        "set driver.version to one that is published for this system, or bring it into the registry",
    ),
    *IMAGE,
)

KERNEL_IMAGE: Sequence[Reading] = (
    _reading(
        NO_IMAGE,
        "image {image} for kernel {kernel} does not exist",
        "set driver.version to one that is published for this system, or driver.precompiled to false",
    ),
    *IMAGE,
)

ENDED: Sequence[Reading] = (
    _reading(
        r"(?:could not resolve linux kernel version|kernel.{0,40}(?:headers|devel)|no headers for kernel).*",
        "{last}",
        "set driver.version to one that supports kernel {kernel}, or boot the nodes with a kernel that it supports",
    ),
    _reading(
        r"failed to initialize nvml|nvidia driver.*not loaded",
        "the driver is not loaded on {node}: {last}",
        "look at the driver's DaemonSet",
        Weight.BLOCKED,
    ),
    _reading(
        r"oomkilled", "container {container} used more memory than its limit", "raise the memory limit of {container}"
    ),
    _reading(r".*", "{last}", "see kubectl logs {pod} -c {container} --previous"),
)
"""Last words of containers that ended with an error."""

UNSCHEDULABLE: Sequence[Reading] = (
    _reading(
        r"insufficient (?P<resource>nvidia\.com/\S+?)[,.]?(?:\s|$)",
        "no node has {resource} to spare: {last}",
        "free GPUs, or add nodes with GPUs",
        Weight.BLOCKED,
    ),
    _reading(
        r"insufficient (?P<resource>\S+?)[,.]?(?:\s|$)",
        "no node has enough {resource}: {last}",
        "free it, or add nodes",
        Weight.BLOCKED,
    ),
    _reading(
        r"untolerated taint(?:\(s\))? ?\{(?P<taint>[^}]*)\}",
        "no node may take it, for taint {taint}: {last}",
        "add a toleration for it, or take the taint off",
    ),
    _reading(
        r"didn't match pod's node (?:affinity|selector)",
        "no node carries the labels that it asks for: {last}",
        "label the nodes, or change its selector",
        Weight.BLOCKED,
    ),
    _reading(
        r"were unschedulable",
        "the nodes that could take it are cordoned: {last}",
        "kubectl uncordon them, or add nodes",
        Weight.BLOCKED,
    ),
    _reading(r".*", "no node can take it: {last}", "add nodes, or ask for less", Weight.BLOCKED),
)
"""Messages of the scheduler (kubernetes pkg/scheduler/framework)."""

REFUSED: Sequence[Reading] = (
    _reading(
        r"insufficient quota to match these scopes: \[\{(?P<scope>[^}]*)\}",
        "no ResourceQuota allows pods of {scope} here",
        "make a ResourceQuota for these priority classes in the namespace",
    ),
    _reading(r"(?P<text>exceeded quota: .*)", "{text}", "raise the ResourceQuota, or use less"),
    _reading(
        r"violates PodSecurity \"(?P<level>[^\"]*)\"",
        "pod security level {level} of the namespace forbids its pods",
        "label the namespace pod-security.kubernetes.io/enforce=privileged",
    ),
    _reading(
        r"namespace (?P<place>\S+) because it is being terminated",
        "namespace {place} is being deleted",
        "wait until it is gone, or see what holds it",
    ),
    _reading(r"serviceaccount \"?(?P<account>[^\" ]+)\"? not found", "service account {account} does not exist", ""),
    _reading(r".*", "{last}", ""),
)
"""Why the API server refuses to make pods (kubernetes plugin/pkg/admission)."""


def read(readings: Sequence[Reading], text: str, facts: Mapping[str, str]) -> Cause:
    """The first reading that fits; the last one of a table fits everything."""
    return next(_fitting(readings, text, facts), Cause(clean(text)))


def _fitting(readings: Sequence[Reading], text: str, facts: Mapping[str, str]) -> Iterator[Cause]:
    for reading in readings:
        if match := reading.pattern.search(text):
            known = {**facts, "last": clean(text), **match.groupdict()}
            yield Cause(reading.says.format(**known), reading.hint.format(**known), reading.weight)


LONGEST = 240


def clean(text: str) -> str:
    """One line of bearable length."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
