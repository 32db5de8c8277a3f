"""The GPU Operator in a cluster, up to a ClusterPolicy that is really ready."""

from __future__ import annotations

from aiinfra.stack import StackContext
from stacks.gpu_operator.install import install
from stacks.gpu_operator.spec import GpuOperatorInputs, GpuOperatorInstall
from stacks.gpu_operator.values import pull_secrets, resource, resources, tolerations, validator_image


def program(context: StackContext, inputs: GpuOperatorInputs) -> GpuOperatorInstall:
    policy = install(context, inputs)
    return GpuOperatorInstall.of(
        namespace=inputs.namespace,
        version=inputs.version,
        resource=resource(inputs),
        policy=policy,
        resources=resources(inputs),
        tolerations=tolerations(inputs),
        image=validator_image(inputs),
        pull_secrets=pull_secrets(inputs),
    )
