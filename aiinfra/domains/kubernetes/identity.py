"""Before any step on a real target: does each cluster answer, and is it the one that was used before?

One request for each cluster. Nothing is begun unless all of them are in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiinfra.domains.kubernetes.reach import ClusterHandle
from aiinfra.errors import AiinfraError, ErrorRecord, OutsideError

if TYPE_CHECKING:
    from aiinfra.domains.kubernetes.client.errors import KubeError

SECONDS: Final = 10.0
"""That an API server may take to answer; one that is up needs a fraction of one."""
FORBIDDEN_HINT: Final = "let the user get the namespace kube-system, whose uid is the cluster's identity"
PROXIES: Final = ("HTTPS_PROXY", "https_proxy")


class ClustersRefused(OutsideError):
    """Some clusters cannot be used: one record each."""

    def __init__(self, refused: Sequence[ErrorRecord]) -> None:
        first = refused[0]
        super().__init__(first.message, code=first.code, where=first.where, hint=first.hint, transient=first.transient)
        self._refused = refused

    def records(self) -> Sequence[ErrorRecord]:
        return self._refused


def verify(clusters: Sequence[ClusterHandle], environ: Mapping[str, str]) -> None:
    """Ask all clusters at once who they are. Raises `ClustersRefused` with every one that is not in order."""
    if len(clusters) < 2:
        answers = [_refusal(cluster, environ) for cluster in clusters]
    else:
        with ThreadPoolExecutor(len(clusters), thread_name_prefix="verify") as pool:
            answers = list(pool.map(lambda cluster: _refusal(cluster, environ), clusters))
    if refused := [answer for answer in answers if answer is not None]:
        raise ClustersRefused(refused)


def _refusal(cluster: ClusterHandle, environ: Mapping[str, str]) -> ErrorRecord | None:
    try:
        identify(cluster, environ)
    except AiinfraError as error:
        return error.record
    return None


def identify(cluster: ClusterHandle, environ: Mapping[str, str]) -> str:
    """The uid of the cluster that answers. Raises `OutsideError` that names server and stack."""
    from aiinfra.domains.kubernetes.client.client import KubeClient
    from aiinfra.domains.kubernetes.client.errors import KubeError, Unreachable
    from aiinfra.domains.kubernetes.provider.clusters import other_cluster_error

    server = ""
    try:
        with KubeClient.from_kubeconfig(cluster.kubeconfig, timeout=SECONDS) as client:
            server = client.server
            found = client.cluster_uid()
    except Unreachable as error:
        raise error_of(cluster, error.record, hint=_proxy_hint(server, environ)) from error
    except KubeError as error:
        raise error_of(cluster, _meaning(server, error)) from error
    if cluster.uid and found != cluster.uid:
        raise error_of(cluster, other_cluster_error(server, expected=cluster.uid, found=found).record)
    return found


def error_of(cluster: ClusterHandle, record: ErrorRecord, hint: str = "") -> OutsideError:
    hint = hint or record.hint
    return OutsideError(record.message, code=record.code, where=cluster.stack, hint=hint, transient=record.transient)


def _meaning(server: str, error: KubeError) -> ErrorRecord:
    """What the API server's refusal means here, where all that was asked is its identity."""
    from aiinfra.domains.kubernetes.client.errors import not_kubernetes

    match error.status:
        case 403:
            said = error.record.message.partition(": ")[2]
            message = f"{server} does not tell the kubeconfig's user which cluster it is: {said}"
            hint = error.record.hint if error.record.transient else FORBIDDEN_HINT
            return replace(error.record, message=message, hint=hint)
        case 404:
            return not_kubernetes(server).record
        case _:
            named = server in error.record.message
            return error.record if named else replace(error.record, message=f"{server}: {error.record.message}")


def _proxy_hint(server: str, environ: Mapping[str, str]) -> str:
    """A hint that only variables give: kubectl uses their proxy, our client that of the kubeconfig alone."""
    name = next((name for name in PROXIES if environ.get(name)), "")
    host = urlsplit(server).hostname or ""
    excepted = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if not name or any(host.endswith(end.strip().lstrip(".*")) for end in excepted if end.strip()):
        return ""
    return f"{name} is not used for API servers: write the proxy as proxy-url of the cluster into the kubeconfig"
