"""What the chart `cert-manager` v1.21.1 makes (cert-manager/cert-manager deploy/charts/cert-manager/templates).

Not made: Services, the webhooks' configurations (nobody would answer them), monitors, network policies, the Job that
checks the API. Nothing acts on the custom resources: no certificate is issued.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiinfra.domains.kubernetes.charts.cert_manager.facts import CHART, DEPLOYMENTS, NAME, VERSION
from aiinfra.domains.kubernetes.charts.cert_manager.standin.definitions import DEFINITIONS
from aiinfra.domains.kubernetes.lab.standins.charts.release import (
    KEEP,
    KUBELET,
    HelmRelease,
    Manifest,
    Object,
    account,
    given,
    object_head,
    rule,
)

ALL = ("*",)
GROUPS = ("cert-manager.io", "acme.cert-manager.io")


def manifest(release: HelmRelease, values: Mapping[str, Any]) -> Manifest:
    """Return what the chart makes of a release. `values` have the chart's defaults filled in."""
    controller, webhook, injector = DEPLOYMENTS
    parts = [(controller, "controller", values), (webhook, "webhook", values["webhook"])]
    if values["cainjector"]["enabled"]:
        parts.append((injector, "cainjector", values["cainjector"]))
    objects = [obj for name, part, own in parts for obj in _part(release, name, part, own, values["global"])]
    if values["crds"]["enabled"]:
        objects += [_definition(definition, release, keep=values["crds"]["keep"]) for definition in DEFINITIONS]
    return Manifest(objects, crds=())


def _labels(release: HelmRelease, name: str, part: str) -> dict[str, str]:
    return {
        **{"app": name, "app.kubernetes.io/name": name, "app.kubernetes.io/instance": release.name},
        **{"app.kubernetes.io/component": part, "app.kubernetes.io/version": VERSION},
        "helm.sh/chart": f"{NAME}-{CHART.version}",
    }


def _part(
    release: HelmRelease, name: str, part: str, own: Mapping[str, Any], common: Mapping[str, Any]
) -> list[Object]:
    """One of its three programs: a Deployment with an account."""
    labels = _labels(release, name.removeprefix(f"{NAME}-"), part)
    selector = {key: labels[key] for key in labels if key not in ("app.kubernetes.io/version", "helm.sh/chart")}
    image = f"quay.io/jetstack/{NAME}-{part}:{VERSION}"
    args = [f"--leader-election-namespace={common['leaderElection']['namespace']}", *own["extraArgs"]]
    container = {"name": f"{NAME}-{part}", "image": image, "args": args, **given({"resources": own["resources"]})}
    chosen = {key: own[key] for key in ("nodeSelector", "affinity", "tolerations")}
    secrets = {"imagePullSecrets": common["imagePullSecrets"], "priorityClassName": common["priorityClassName"]}
    pod = {"serviceAccountName": name, "containers": [container], **given({**chosen, **secrets})}
    template = {"metadata": {"labels": {**own["podLabels"], **labels}, "annotations": dict(KUBELET)}, "spec": pod}
    rules = (*(rule(group, ALL, ALL) for group in GROUPS), rule("", ("secrets", "events"), ALL))
    head = object_head("apps/v1", "Deployment", name, labels, release.namespace)
    spec = {"replicas": own["replicaCount"], "selector": {"matchLabels": selector}, "template": template}
    return [*account(name, release.namespace, labels, cluster=rules), head | {"spec": spec}]


def _definition(definition: Object, release: HelmRelease, *, keep: bool) -> Object:
    annotations = {"annotations": dict(KEEP)} if keep else {}
    metadata = {**definition["metadata"], "labels": _labels(release, NAME, "crds"), **annotations}
    return {**definition, "metadata": metadata}
