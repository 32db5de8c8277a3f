"""What the chart `node-feature-discovery` 0.19.0 makes (kubernetes-sigs/node-feature-discovery deployment/helm).

Not made: probes, volumes and security contexts of the pods, the topology updater, PodMonitors, network policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from aiinfra.domains.kubernetes.charts.nfd.facts import CHART, MASTER_CONFIG_KEY, NAME, WORKER_CONFIG_KEY
from aiinfra.domains.kubernetes.charts.nfd.standin.definitions import DEFINITIONS
from aiinfra.domains.kubernetes.lab.standins.charts.release import (
    KUBELET,
    HelmRelease,
    Manifest,
    Object,
    account,
    given,
    object_head,
    rule,
)

API_GROUP = "nfd.k8s-sigs.io"
READ = ("get", "list", "watch")
WRITE = (*READ, "create", "update", "delete")


def manifest(release: HelmRelease, values: Mapping[str, Any]) -> Manifest:
    """Return what the chart makes of a release. `values` have the chart's defaults filled in."""
    chart = _Chart(release, values)
    objects = [*chart.master(), *chart.worker(), *chart.garbage_collector()]
    return Manifest(objects, DEFINITIONS, chart.prune() if values["postDeleteCleanup"] else ())


class _Chart:
    def __init__(self, release: HelmRelease, values: Mapping[str, Any]) -> None:
        base = values["nameOverride"] or NAME
        own = release.name if base in release.name else f"{release.name}-{base}"
        self.fullname = (values["fullnameOverride"] or own)[:63].rstrip("-")
        self.namespace = values["namespaceOverride"] or release.namespace
        self.values = values
        self.selector = {"app.kubernetes.io/name": base, "app.kubernetes.io/instance": release.name}
        self.labels = {
            "helm.sh/chart": f"{NAME}-{CHART.version}",
            "app.kubernetes.io/version": CHART.app_version,
            **self.selector,
        }

    def master(self) -> list[Object]:
        if not self.values["master"]["enable"]:
            return []
        nodes = rule("", ("nodes", "nodes/status", "namespaces"), (*READ, "patch", "update"))
        api = rule(API_GROUP, ("nodefeatures", "nodefeaturerules", "nodefeaturegroups"), (*READ, "update"))
        leases = rule("coordination.k8s.io", ("leases",), WRITE)
        return [
            *account(self.fullname, self.namespace, self.labels, cluster=(nodes, api, leases)),
            self._config("master", MASTER_CONFIG_KEY),
            self._deployment("master", self.fullname, "nfd-master"),
        ]

    def worker(self) -> list[Object]:
        own = self.values["worker"]
        if not own["enable"]:
            return []
        local = (rule(API_GROUP, ("nodefeatures",), (*READ, "create", "update")), rule("", ("pods",), ("get",)))
        name = f"{self.fullname}-worker"
        head = object_head("apps/v1", "DaemonSet", name, self.labels | {"role": "worker"}, self.namespace)
        if own["daemonsetAnnotations"]:
            head["metadata"]["annotations"] = own["daemonsetAnnotations"]
        return [
            *account(name, self.namespace, self.labels, local=local),
            self._config("worker", WORKER_CONFIG_KEY),
            head | {"spec": self._pods("worker", name, "nfd-worker")},
        ]

    def garbage_collector(self) -> list[Object]:
        if not self.values["gc"]["enable"]:
            return []
        name = f"{self.fullname}-gc"
        rules = (rule("", ("nodes",), READ), rule(API_GROUP, ("nodefeatures",), ("delete", "list")))
        return [*account(name, self.namespace, self.labels, cluster=rules), self._deployment("gc", name, "nfd-gc")]

    def prune(self) -> list[Object]:
        """The hook that runs `nfd-master -prune` when everything else of the release is gone."""
        name = f"{self.fullname}-prune"
        rules = (rule("", ("nodes", "nodes/status"), ("get", "patch", "update", "list")),)
        job = object_head("batch/v1", "Job", name, self.labels, self.namespace)
        template = self._template("prune", name, "nfd-master", ["-prune"], self.values["master"])
        template["spec"]["restartPolicy"] = "Never"
        return [
            *account(name, self.namespace, self.labels, cluster=rules),
            job | {"spec": {"template": template}},
        ]

    def _config(self, role: str, key: str) -> Object:
        head = object_head("v1", "ConfigMap", f"{self.fullname}-{role}-conf", self.labels, self.namespace)
        return head | {"data": {key: _yaml(self.values[role]["config"])}}

    def _deployment(self, role: str, account_name: str, command: str) -> Object:
        own = self.values[role]
        head = object_head(
            "apps/v1", "Deployment", f"{self.fullname}-{role}", self.labels | {"role": role}, self.namespace
        )
        return head | {"spec": {"replicas": own["replicaCount"], **self._pods(role, account_name, command)}}

    def _pods(self, role: str, account_name: str, command: str) -> dict[str, Any]:
        own = self.values[role]
        return {
            "selector": {"matchLabels": self.selector | {"role": role}},
            "template": self._template(role, account_name, command, own["extraArgs"], own),
        }

    def _template(
        self, role: str, account_name: str, command: str, args: list[str], own: Mapping[str, Any]
    ) -> dict[str, Any]:
        image = self.values["image"]
        container = {
            "name": role,
            "image": f"{image['repository']}:{image['tag']}",
            "imagePullPolicy": image["pullPolicy"],
            "command": [command],
            **given({"args": args, "env": own["extraEnvs"], "resources": own["resources"]}),
        }
        pod = {
            "serviceAccountName": self.values.get(role, {}).get("serviceAccount", {}).get("name") or account_name,
            "containers": [container],
            **given(
                {
                    "nodeSelector": own["nodeSelector"],
                    "tolerations": own["tolerations"],
                    "affinity": own["affinity"],
                    "priorityClassName": own.get("priorityClassName") or self.values["priorityClassName"],
                    "imagePullSecrets": self.values["imagePullSecrets"],
                }
            ),
        }
        marks = {"labels": self.selector | {"role": role}, "annotations": {**own["annotations"], **KUBELET}}
        return {"metadata": marks, "spec": pod}


def _yaml(config: Mapping[str, Any]) -> str:
    stream = StringIO()
    writer = YAML(typ="safe")
    writer.default_flow_style = False
    writer.dump(dict(config), stream)
    return str(stream.getvalue())
