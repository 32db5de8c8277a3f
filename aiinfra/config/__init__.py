"""Environment files: found, read, merged, checked."""

from aiinfra.config.load import load_environment
from aiinfra.config.loaded import Loaded

__all__ = ["Loaded", "load_environment"]
