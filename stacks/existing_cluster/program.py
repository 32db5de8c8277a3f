"""Asks the cluster who it is; makes nothing in it."""

from __future__ import annotations

import pulumi

from aiinfra.domains.kubernetes.access import ClusterAccess
from aiinfra.domains.kubernetes.client.kubeconfig import narrowed
from aiinfra.domains.kubernetes.resources.objects import Cluster
from aiinfra.stack import StackContext
from stacks.existing_cluster.spec import ExistingClusterInputs


def program(context: StackContext, inputs: ExistingClusterInputs) -> ClusterAccess:
    given = pulumi.Output.secret(inputs.kubeconfig)
    kubeconfig = given.apply(lambda text: narrowed(text, inputs.context))
    cluster = Cluster("cluster", kubeconfig=kubeconfig)
    return ClusterAccess.of(
        kubeconfig=kubeconfig,
        uid=cluster.uid,
        server=cluster.server,
        version=cluster.version,
        platform="kubernetes",
    )
