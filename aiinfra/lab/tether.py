"""Becomes the program it is given, bound to the process that started it: when that dies, by whatever signal, so do we.

Run as a script: `python -I -S tether.py PARENT_PID PROGRAM ARGUMENT…`. Linux only (prctl(2), PR_SET_PDEATHSIG): the
signal is bound to the thread that forked us, so the parent must fork from a thread that lives as long as it does.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
    os.execv(sys.argv[2], sys.argv[2:])
