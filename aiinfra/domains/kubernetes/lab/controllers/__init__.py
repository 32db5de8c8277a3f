"""What acts inside a simulated cluster: NFD, the GPU Operator and the kubelets of its nodes.

Each controller is a pure function from a `View` of the cluster to the `Effect`s that it would have; `cluster.py`
watches, asks them in turn and carries the effects out against the real API server.
"""
