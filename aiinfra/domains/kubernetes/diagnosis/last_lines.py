"""The last lines of the logs of containers that failed and left no termination message.

Every container of the GPU Operator has `terminationMessagePolicy: File`, so a pod's status tells an exit code alone,
and what went wrong stands in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiinfra.domains.kubernetes.client.client import KubeClient
from aiinfra.domains.kubernetes.client.errors import KubeError
from aiinfra.domains.kubernetes.client.objects import Object, ObjectRef
from aiinfra.domains.kubernetes.client.transport import CONNECTIONS
from aiinfra.domains.kubernetes.diagnosis.snapshot import name, namespace, status

MAX_LOGS: Final = 8
"""Logs that one diagnosis reads at most."""
LINES: Final = 20
BYTES: Final = 16 * 1024
TIMEOUT: Final = 5.0
"""Seconds for one log: the API server asks the node's kubelet, which may be what is broken."""
TOLD: Final = 2
"""Lines that are told."""
_TELLING = re.compile(
    r"\b(?:errors?|err|fail(?:ed|ure|s)?|fatal|panic|could not|cannot|can't|unable|unknown|not found|no such|denied"
    r"|refused|missing|invalid|unsupported|out of memory|killed|exception)\b",
    re.I,
)
_STAMP = re.compile(r"^(?:\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\s*|[IWEF]\d{4} [\d:.]+\s+\d+ \S+\] )")

_Ended = tuple[Object, Mapping[str, Any], dict[str, Any], bool]
"""A pod, the status of its container, how that ended, and whether it was started again since."""


def with_last_lines(client: KubeClient, objects: Sequence[Object]) -> Sequence[Object]:
    """Let containers that failed without a termination message have the last lines of their log as one.

    A log that cannot be read is left out: a diagnosis never fails. The objects are changed in place.
    """
    ended = [each for obj in objects if obj["kind"] == "Pod" for each in _silent(obj)][:MAX_LOGS]
    if ended:
        with ThreadPoolExecutor(min(len(ended), CONNECTIONS), thread_name_prefix="logs") as pool:
            for (_, _, how, _), log in zip(ended, pool.map(lambda one: _log(client, one), ended), strict=True):
                if said := last_lines(log):
                    how["message"] = said
    return objects


def last_lines(log: str) -> str:
    """Return what a log says of the failure: its last lines that speak of one, else its last line.

    After an error a driver's container still says that it unloads and unmounts (NVIDIA/gpu-driver-container,
    rhel10/nvidia-driver, _shutdown).
    """
    lines = [" ".join(_STAMP.sub("", line.strip()).split()) for line in log.splitlines()]
    said = [line for line in dict.fromkeys(lines) if line.strip("=-*# ")]
    telling = [line for line in said if _TELLING.search(line)]
    return "; ".join(telling[-TOLD:] or said[-1:])


def _silent(pod: Object) -> Iterator[_Ended]:
    found = status(pod)
    for each in (*(found.get("initContainerStatuses") or ()), *(found.get("containerStatuses") or ())):
        now, before = ((each.get(key) or {}).get("terminated") for key in ("state", "lastState"))
        how = now or before
        if how and how.get("exitCode") and not how.get("message") and not each.get("ready"):
            yield pod, each, how, now is None


def _log(client: KubeClient, ended: _Ended) -> str:
    pod, container, _, restarted = ended
    ref = ObjectRef("v1", "Pod", name(pod), namespace(pod))
    try:
        return client.log(
            ref, str(container["name"]), previous=restarted, lines=LINES, most_bytes=BYTES, timeout=TIMEOUT
        )
    except KubeError:
        return ""
