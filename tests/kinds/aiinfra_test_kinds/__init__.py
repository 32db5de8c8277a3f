"""Kinds of another package, for tests and benchmarks: added by entry point when this folder is on the path."""
