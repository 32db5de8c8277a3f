"""Tables that map messages of Kubernetes and of NVIDIA's software to causes: a pattern, a sentence and a hint.

Sentences and hints are templates over the pattern's groups and the facts that the caller knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.kubernetes.diagnosis.cause import Cause, Weight


@dataclass(frozen=True, slots=True)
class MessageRule:
    pattern: re.Pattern[str]
    message: str
    hint: str
    weight: Weight = Weight.BROKEN


def _rule(pattern: str, message: str, hint: str, weight: Weight = Weight.BROKEN) -> MessageRule:
    return MessageRule(re.compile(pattern, re.I), message, hint, weight)


NO_IMAGE = r"not found|manifest unknown|does not exist|name unknown"
IMAGE: Sequence[MessageRule] = (
    _rule(
        r"unauthorized|authentication required|no basic auth|denied|forbidden",
        "the registry refuses to give image {image}: the pull secret is missing or wrong",
        "give a pull secret that may read it",
    ),
    _rule(
        r"toomanyrequests|rate limit|429",
        "the registry limits how often image {image} may be pulled",
        "log in to the registry, or use a mirror",
    ),
    _rule(
        r"no such host|i/o timeout|connection refused|network is unreachable|tls:|x509|proxyconnect|EOF",
        "the registry of image {image} cannot be reached from {node}",
        "check the node's proxy, DNS and certificates, or use a mirror",
    ),
    _rule(
        r"no match for platform|no matching manifest",
        "image {image} is not made for the processor of {node}",
        "use an image for this architecture",
    ),
    _rule(
        NO_IMAGE,
        "image {image} does not exist",
        "correct its name and version, or bring it into the registry",
    ),
    _rule(r"invalid reference|InvalidImageName|couldn't parse image", "{image} is no image name", "correct the name"),
)
"""Waiting messages of containers whose image cannot be had (containerd, CRI-O, kubelet)."""

DRIVER_IMAGE: Sequence[MessageRule] = (
    _rule(
        NO_IMAGE,
        "image {image} does not exist",
        "set driver.version to one that is published for this system, or bring it into the registry",
    ),
    *IMAGE,
)

KERNEL_IMAGE: Sequence[MessageRule] = (
    _rule(
        NO_IMAGE,
        "image {image} for kernel {kernel} does not exist",
        "set driver.version to one that is published for this system, or driver.precompiled to false",
    ),
    *IMAGE,
)

ENDED: Sequence[MessageRule] = (
    _rule(r"requires use of the nvidia open kernel modules", "{last}", "set driver.kernel_module_type: open"),
    _rule(r"not supported by open nvidia\.ko", "{last}", "set driver.kernel_module_type: proprietary"),
    _rule(
        r"not supported by the nvidia (?P<driver>\S+) driver release",
        "{last}",
        "set driver.version to one that drives these GPUs; {driver} does not",
    ),
    _rule(
        r"rminitadapter failed",
        "{last}",
        "see the kernel log of {node}; for a vGPU, set driver.repository, driver.image and driver.version to your guest"
        " driver",
    ),
    _rule(
        r"the image is made for (?P<system>\S+)",
        "{last}",
        "give all nodes with GPUs one system; the operator takes the driver's image by that of the first node",
    ),
    _rule(
        r"(?:could not resolve linux kernel version|kernel.{0,40}(?:headers|devel)|no headers for kernel).*",
        "{last}",
        "set driver.version to one that supports kernel {kernel}, or boot the nodes with a kernel that it supports",
    ),
    _rule(
        r"failed to initialize nvml|nvidia driver.*not loaded",
        "the driver is not loaded on {node}: {last}",
        "look at the driver's DaemonSet",
        Weight.BLOCKED,
    ),
    _rule(
        r"oomkilled", "container {container} used more memory than its limit", "raise the memory limit of {container}"
    ),
    _rule(r".*", "{last}", "see kubectl logs {pod} -c {container} --previous"),
)
"""Termination messages of containers that ended with an error."""

UNSCHEDULABLE: Sequence[MessageRule] = (
    _rule(
        r"insufficient (?P<resource>nvidia\.com/\S+?)[,.]?(?:\s|$)",
        "no node has {resource} to spare: {last}",
        "free GPUs, or add nodes with GPUs",
        Weight.BLOCKED,
    ),
    _rule(
        r"insufficient (?P<resource>\S+?)[,.]?(?:\s|$)",
        "no node has enough {resource}: {last}",
        "free it, or add nodes",
        Weight.BLOCKED,
    ),
    _rule(
        r"untolerated taint(?:\(s\))? ?\{(?P<taint>[^}]*)\}",
        "no node may take it, for taint {taint}: {last}",
        "add a toleration for it, or take the taint off",
    ),
    _rule(
        r"didn't match pod's node (?:affinity|selector)",
        "no node carries the labels that it asks for: {last}",
        "label the nodes, or change its selector",
        Weight.BLOCKED,
    ),
    _rule(
        r"were unschedulable",
        "the nodes that could take it are cordoned: {last}",
        "kubectl uncordon {cordoned}, or add nodes",
        Weight.BLOCKED,
    ),
    _rule(r".*", "no node can take it: {last}", "add nodes, or ask for less", Weight.BLOCKED),
)
"""Messages of the scheduler (kubernetes pkg/scheduler/framework)."""

REFUSED: Sequence[MessageRule] = (
    _rule(
        r"insufficient quota to match these scopes: \[\{(?P<scope>[^}]*)\}",
        "no ResourceQuota allows pods of {scope} here",
        "make a ResourceQuota for these priority classes in the namespace",
    ),
    _rule(r"(?P<text>exceeded quota: .*)", "{text}", "raise the ResourceQuota, or use less"),
    _rule(
        r"violates PodSecurity \"(?P<level>[^\"]*)\"",
        "pod security level {level} of the namespace forbids its pods",
        "label the namespace pod-security.kubernetes.io/enforce=privileged",
    ),
    _rule(
        r"namespace (?P<place>\S+) because it is being terminated",
        "namespace {place} is being deleted",
        "wait until it is gone, or see what holds it",
    ),
    _rule(
        r"pod rejected: RuntimeClass \"(?P<runtime>[^\"]+)\" not found",
        "RuntimeClass {runtime} does not exist",
        "see whether the operator that makes it runs",
        Weight.BLOCKED,
    ),
    _rule(r"serviceaccount \"?(?P<account>[^\" ]+)\"? not found", "service account {account} does not exist", ""),
    _rule(r".*", "{last}", ""),
)
"""Why the API server refuses to make pods (kubernetes plugin/pkg/admission)."""


def cause_of_message(rules: Sequence[MessageRule], text: str, facts: Mapping[str, str]) -> Cause:
    """Return the cause of the first rule that matches `text`; the last rule of a table matches everything."""
    return next(_matches(rules, text, facts), Cause(one_line(text)))


def _matches(rules: Sequence[MessageRule], text: str, facts: Mapping[str, str]) -> Iterator[Cause]:
    for rule in rules:
        if match := rule.pattern.search(text):
            known = {**facts, "last": one_line(text), **match.groupdict()}
            yield Cause(rule.message.format(**known), rule.hint.format(**known), rule.weight)


MAX_LENGTH = 240


def one_line(text: str) -> str:
    """Return the text on one line, without its full stop and cut after `MAX_LENGTH` characters."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
