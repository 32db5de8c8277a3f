"""The codes of error records and findings about clusters and their objects."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "chart.helm": "Helm's engine, which renders charts before a run, failed.",
    "cluster.another": "Another cluster answers where this environment's cluster was: its uid is not the recorded one.",
    "cluster.answers": "A cluster that is to be forgotten answers.",
    "kube.conflict": "The object exists already, changed meanwhile, or another manager owns its fields.",
    "kube.driver": "A driver does not work on nodes of the cluster, or nobody says that it does.",
    "kube.expired": "The API server no longer has the version that was asked for.",
    "kube.failed": "A Kubernetes API server refused a request in a way that has no code of its own.",
    "kube.foreign": "An object that is to be made exists and belongs to somebody else.",
    "kube.invalid": "The API server refused an object; the message is the API's own.",
    "kube.kubeconfig": "The kubeconfig cannot be used.",
    "kube.no_such_kind": "The cluster does not serve this kind: its CRD is absent or not established.",
    "kube.not_found": "The object does not exist.",
    "kube.not_ready": "What was waited for did not become ready in time.",
    "kube.refused": "The API server does not accept the credentials, or they do not allow this.",
    "kube.stuck": "Objects that were deleted did not go away.",
    "kube.tls": "The API server's certificate is not trusted.",
    "kube.unreachable": "The API server does not answer.",
    "kube.webhook": "An admission webhook could not be called, or denied the request.",
    "lab.cluster_failed": "A simulated cluster of the lab did not start.",
    "lab.no_cluster": "The lab has no cluster of that name.",
    "lab.no_isolation": "A real operator cannot be given a root directory of its own on this machine.",
    "lab.no_manifests": "The manifests of a real operator are in no Go module cache of this machine.",
    "proof.failed": "The proof that GPUs work failed at one of its rungs.",
}
"""Each code with what it means."""
