"""Composition of a run: place, engine, verbs. The entry point is `session.py`."""
