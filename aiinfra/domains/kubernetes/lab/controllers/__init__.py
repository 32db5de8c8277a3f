"""What acts inside a simulated cluster: the kubelets of its nodes, faults, and the controllers that charts deploy.

A controller is a value with the kinds that it watches and a pure function from a `View` of the cluster to the
`Effect`s that it would have. `platforms.py` lists those of a cluster by its platform; `cluster.py` watches, asks them
in turn and carries the effects out against the real API server.
"""
