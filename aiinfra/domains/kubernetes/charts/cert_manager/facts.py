"""The chart of cert-manager v1.21.1 (cert-manager/cert-manager deploy/charts/cert-manager)."""

from __future__ import annotations

from aiinfra.domains.kubernetes.charts.helm_values import ANY_LIST, ANY_MAP, ChartFacts, Open

NAME, VERSION = "cert-manager", "v1.21.1"
DEPLOYMENTS = (NAME, f"{NAME}-webhook", f"{NAME}-cainjector")
_POD = {
    **{"replicaCount": 1, "resources": ANY_MAP, "affinity": ANY_MAP, "tolerations": ANY_LIST, "extraArgs": ANY_LIST},
    **{"nodeSelector": Open({"kubernetes.io/os": "linux"}), "podLabels": ANY_MAP},
}
_LEASES = {"namespace": "kube-system"}
CHART = ChartFacts(
    name=NAME,
    version=VERSION,
    app_version=VERSION,
    references=(f"https://charts.jetstack.io {NAME}", f"oci://quay.io/jetstack/charts/{NAME}"),
    values={
        "global": {"imagePullSecrets": ANY_LIST, "priorityClassName": "", "leaderElection": _LEASES},
        "crds": {"enabled": False, "keep": True},
        **_POD,
        "webhook": _POD,
        "cainjector": {"enabled": True, **_POD},
        "startupapicheck": {"enabled": True},
    },
    crds=(
        *("certificaterequests.cert-manager.io", "certificates.cert-manager.io", "clusterissuers.cert-manager.io"),
        *("issuers.cert-manager.io", "challenges.acme.cert-manager.io", "orders.acme.cert-manager.io"),
    ),
    adds=(
        "with crds.enabled, the CustomResourceDefinitions of cert-manager.io and acme.cert-manager.io",
        "ServiceAccounts, ClusterRoles, Roles and their bindings",
        f"Deployments {', '.join(DEPLOYMENTS)}",
        "Services of the controller and the webhook, and the webhook's configurations",
    ),
    unowned=(f"Secret {NAME}-webhook-ca",),
)
