"""Observes a vCenter: its inventory, and the sites of templates, as values."""
