"""Find, fetch or build the programs that aiinfra runs beside itself: the engine host and the lab's servers."""

from aiinfra.toolchain.toolchain import ReadyProgram, Toolchain
from aiinfra.toolchain.tools import TOOLS

__all__ = ["TOOLS", "ReadyProgram", "Toolchain"]
