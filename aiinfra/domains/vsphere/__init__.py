"""vCenter: one adapter on pyVmomi (`session`, `properties`, `tasks`, `reading`, …) around a core that is pure."""
