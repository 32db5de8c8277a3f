"""How the operator gets into the cluster: by Helm; another way is another case of `match`."""

from __future__ import annotations

from typing import assert_never

from aiinfra.domains.kubernetes.charts.gpu_operator.facts import CHART
from aiinfra.domains.kubernetes.charts.gpu_operator.operator_facts import (
    HELM_POLICY_NAME,
    OPERATOR_DEPLOYMENT,
    POLICY_API,
    POLICY_KIND,
)
from aiinfra.domains.kubernetes.charts.nfd.facts import CHART as NFD_CHART
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.chart import PRIVILEGED, Installation, helm_chart
from aiinfra.stack import StackContext
from stacks.gpu_operator.sharing import config_name, device_plugin_config
from stacks.gpu_operator.spec import GpuOperatorInputs
from stacks.gpu_operator.values import SHARING_KEY, chart_values


def install(context: StackContext, inputs: GpuOperatorInputs) -> str:
    """Declare the operator and the wait for it; return the name of the ClusterPolicy of this way of installing."""
    match inputs.install:
        case "helm":
            helm_chart(context, inputs, CHART, _by_helm(inputs))
            return HELM_POLICY_NAME
        case other:
            assert_never(other)


def _by_helm(inputs: GpuOperatorInputs) -> Installation:
    document = device_plugin_config(inputs)
    operator = wants.reference("apps/v1", "Deployment", OPERATOR_DEPLOYMENT, inputs.namespace)
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_name(document), "namespace": inputs.namespace},
        "data": {SHARING_KEY: document},
    }
    return Installation(
        namespace=inputs.namespace,
        values=chart_values(inputs, config_name(document)),
        wants=[wants.rolled_out(operator), wants.cluster_policy_ready(HELM_POLICY_NAME)],
        limit=inputs.limit,
        limit_per_node=inputs.limit_per_node,
        labels=PRIVILEGED,
        bundles={"device-plugin": [config]} if document else {},
        definitions=NFD_CHART.crds if inputs.nfd == "bundled" else (),
        remove_first=[wants.reference(POLICY_API, POLICY_KIND, HELM_POLICY_NAME)],
    )
