"""The GPU Operator in a cluster, up to a ClusterPolicy that is really ready."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from aiinfra.domains.kubernetes.facts.gpu_operator import OPERATOR_DEPLOYMENT, POLICY_API, POLICY_KIND
from aiinfra.domains.kubernetes.resources import wants
from aiinfra.domains.kubernetes.resources.objects import Bundle, CustomResourceDefinitions, Ready, namespace_object
from aiinfra.stack import StackContext
from stacks.gpu_operator.install import definitions, install, policy_name
from stacks.gpu_operator.sharing import config_name, device_plugin_config
from stacks.gpu_operator.spec import GpuOperatorInputs, GpuOperatorInstall
from stacks.gpu_operator.values import SHARING_KEY, chart_values, resource

PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
"""Drivers and device plugins mount the host; an admission default of another level would refuse them."""


def program(context: StackContext, inputs: GpuOperatorInputs) -> GpuOperatorInstall:
    cluster, policy = inputs.cluster, policy_name(inputs.install)
    provider = kubernetes.Provider("cluster", kubeconfig=cluster.kubeconfig)
    namespace = Bundle(
        context,
        "namespace",
        cluster=cluster,
        objects=[namespace_object(inputs.namespace, PRIVILEGED)],
    )
    brought = CustomResourceDefinitions(
        context,
        "definitions",
        cluster=cluster,
        names=definitions(inputs.install, bundled_nfd=inputs.nfd == "bundled"),
    )
    needed: list[pulumi.Resource] = [namespace, brought]
    document = device_plugin_config(inputs)
    if document:
        needed.append(_device_plugin(context, inputs, document, namespace))
    operator = install(
        inputs.install,
        version=inputs.version,
        namespace=inputs.namespace,
        values=chart_values(inputs, config_name(document)),
        limit=inputs.limit,
        opts=pulumi.ResourceOptions(provider=provider, depends_on=needed),
    )
    Ready(
        context,
        "ready",
        cluster=cluster,
        wants=_wants(inputs, policy),
        limit_seconds=inputs.limit,
        remove_first=[wants.reference(POLICY_API, POLICY_KIND, policy)],
        after=operator.revision,
        definitions=brought.brought,
        release=operator.release,
        opts=pulumi.ResourceOptions(depends_on=[operator.resource]),
    )
    return GpuOperatorInstall.of(
        namespace=inputs.namespace,
        version=inputs.version,
        resource=resource(inputs),
        policy=policy,
    )


def _device_plugin(
    context: StackContext, inputs: GpuOperatorInputs, document: str, namespace: pulumi.Resource
) -> pulumi.Resource:
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_name(document), "namespace": inputs.namespace},
        "data": {SHARING_KEY: document},
    }
    return Bundle(
        context,
        "device-plugin",
        cluster=inputs.cluster,
        objects=[made],
        opts=pulumi.ResourceOptions(depends_on=[namespace]),
    )


def _wants(inputs: GpuOperatorInputs, policy: str) -> list[wants.Want]:
    operator = wants.reference("apps/v1", "Deployment", OPERATOR_DEPLOYMENT, inputs.namespace)
    return [wants.rolled_out(operator), wants.cluster_policy_ready(policy)]
