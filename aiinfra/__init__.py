"""aiinfra: one file in, a proven GPU platform out. Importing this package has no effect."""

__version__ = "0.1.0"
