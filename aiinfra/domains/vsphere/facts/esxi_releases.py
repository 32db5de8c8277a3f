"""Releases of ESXi by version and build: how a host's patch level is called.

Broadcom KB 316595 "Build numbers and versions of VMware ESXi/ESX", rows that agree in two public copies of it: up to
March 2024 wireshark/wireshark `epan/dissectors/packet-vmware-hb.c`, later ones the release notes and VMSA-2025-0004 and
-0013. Builds that hold nothing but security fixes are left out. Version scheme: Broadcom KB 395110.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KB_BUILDS: Final = "Broadcom KB 316595"

_RELEASES: Final[Mapping[tuple[int, ...], Mapping[int, str]]] = MappingProxyType(
    {
        (7, 0, 0): {
            15843807: "7.0",
            16324942: "7.0b",
        },
        (7, 0, 1): {
            16850804: "7.0 Update 1",
            17119627: "7.0 Update 1a",
            17168206: "7.0 Update 1b",
            17325551: "7.0 Update 1c",
            17551050: "7.0 Update 1d",
            19324898: "7.0 Update 1e",
        },
        (7, 0, 2): {
            17630552: "7.0 Update 2",
            17867351: "7.0 Update 2a",
            18426014: "7.0 Update 2c",
            18538813: "7.0 Update 2d",
            19290878: "7.0 Update 2e",
        },
        (7, 0, 3): {
            18644231: "7.0 Update 3",
            18825058: "7.0 Update 3a",
            18905247: "7.0 Update 3b",
            19193900: "7.0 Update 3c",
            19482537: "7.0 Update 3d",
            19898904: "7.0 Update 3e",
            20036589: "7.0 Update 3f",
            20328353: "7.0 Update 3g",
            20842708: "7.0 Update 3i",
            21053776: "7.0 Update 3j",
            21313628: "7.0 Update 3k",
            21424296: "7.0 Update 3l",
            21686933: "7.0 Update 3m",
            21930508: "7.0 Update 3n",
            22348816: "7.0 Update 3o",
            23307199: "7.0 Update 3p",
            23794027: "7.0 Update 3q",
            24411414: "7.0 Update 3r",
            24585291: "7.0 Update 3s",
            24723872: "7.0 Update 3v",
            24784741: "7.0 Update 3w",
        },
        (8, 0, 0): {
            20513097: "8.0",
            20842819: "8.0a",
            21203435: "8.0b",
            21493926: "8.0c",
            24569005: "8.0e",
        },
        (8, 0, 1): {
            21495797: "8.0 Update 1",
            21813344: "8.0 Update 1a",
            22088125: "8.0 Update 1c",
            23299997: "8.0 Update 1d",
        },
        (8, 0, 2): {
            22380479: "8.0 Update 2",
            23305546: "8.0 Update 2b",
            23825572: "8.0 Update 2c",
            24585300: "8.0 Update 2d",
            24789317: "8.0 Update 2e",
        },
        (8, 0, 3): {
            24022510: "8.0 Update 3",
            24280767: "8.0 Update 3b",
            24414501: "8.0 Update 3c",
            24585383: "8.0 Update 3d",
            24674464: "8.0 Update 3e",
            24784735: "8.0 Update 3f",
            24859861: "8.0 Update 3g",
            25067014: "8.0 Update 3h",
            25205845: "8.0 Update 3i",
        },
        (9, 0, 0): {
            24755229: "9.0.0.0",
        },
        (9, 0, 1): {
            24957456: "9.0.1.0",
        },
        (9, 0, 2): {
            25148076: "9.0.2.0",
        },
        (9, 1, 0): {
            25370933: "9.1.0.0",
        },
        (9, 1, 1): {
            25714478: "9.1.1.0",
        },
    }
)


def release_of(version: str, build: str) -> str:
    """Return the name of a host's release: `8.0 Update 3b`, or `8.0 Update 3i or newer` past a build of the table.

    Empty when the table says nothing of this version, or when these are no version and build.
    """
    try:
        numbers, number = tuple(int(part) for part in version.split("."))[:3], int(build)
    except ValueError:
        return ""
    reached = [known for known in _RELEASES.get(numbers, ()) if known <= number]
    if not reached:
        return ""
    newest = _RELEASES[numbers][max(reached)]
    return newest if max(reached) == number else f"{newest} or newer"
