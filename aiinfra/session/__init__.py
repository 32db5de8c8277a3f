"""Composition of a run: place, engine, verbs. `session.py` is the door."""
