"""The record that every cluster kind exports, so that an in-cluster stack works on all of them."""

from __future__ import annotations

from typing import Annotated

from aiinfra.stack import SECRET, Input, Outputs


class ClusterAccess(Outputs):
    """How to reach a Kubernetes cluster, and which one it is."""

    kubeconfig: Annotated[Input[str], SECRET]
    """The text of a kubeconfig with one usable context."""
    uid: Input[str]
    """uid of the `kube-system` namespace: the cluster's identity; a kubeconfig may change, this must not."""
    server: Input[str]
    """URL of the API server."""
    version: Input[str]
    """`v1.36.3`."""
    platform: Input[str]
    """`kubernetes`, `openshift`, `gke` or `eks`."""
