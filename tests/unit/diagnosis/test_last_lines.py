"""What a container's log says of its failure."""

from __future__ import annotations

import pytest

from aiinfra.domains.kubernetes.diagnosis.last_lines import last_lines

DRIVER = """\
========== NVIDIA Software Installer ==========
Starting installation of NVIDIA driver branch 570 version 570.124.06 for Linux kernel version 5.14.0-570
Resolving Linux kernel version...
Could not resolve Linux kernel version
Stopping NVIDIA persistence daemon...
Unloading NVIDIA driver kernel modules...
Unmounting NVIDIA driver rootfs...
"""
GO = """\
I1130 03:17:05.123456       1 main.go:42] starting
E1130 03:17:06.123456       1 main.go:57] error starting plugins: unable to load config: line 3
"""
PYTHON = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
ValueError: no such device
"""


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (DRIVER, "Could not resolve Linux kernel version"),
        (GO, "error starting plugins: unable to load config: line 3"),
        (PYTHON, "ValueError: no such device"),
        ("2026-11-30T03:17:05.1Z one\n2026-11-30T03:17:06Z two\n====\n", "two"),
        ("again: failed\nagain: failed\nagain: failed\n", "again: failed"),
        ("", ""),
    ],
    ids=["driver", "klog", "python", "nothing telling", "repeated", "empty"],
)
def test_the_lines_that_speak_of_a_failure_are_told(log: str, said: str) -> None:
    assert last_lines(log) == said
