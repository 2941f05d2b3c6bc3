"""Where everything stands in an nxscan file, and which version of that layout this is."""

from __future__ import annotations

LAYOUT_VERSION = 1
"""Layout that this version writes; older ones are read, newer ones refused by name."""

LIBVER = ("v110", "v110")
"""HDF5 file format that every tool of the field reads; HDF5 2.0's own cannot be by 1.14."""

INLINE_LIMIT = 64 * 2**20
"""Frames of up to this many stored bytes go into the master itself."""

ENTRY = "entry"
DATA = "entry/data"
COUNTERS = "entry/counters"
INTEGRATED = "entry/integrated"
TRANSLATION = "entry/translation"
PARAMETERS = "entry/translation/parameters"
SOURCES = "entry/translation/sources"
SEAL = "entry/translation/checksums"
RAW_METADATA = "entry/raw_metadata"
USID_MAIN = "Measurement_000/Channel_000/Raw_Data"


def detector_path(detector: str) -> str:
    """Return where the frames of a detector are.

    >>> detector_path("pco_ff")
    'entry/instrument/pco_ff/data'
    """
    return f"entry/instrument/{detector}/data"


def data_group(detector: str, *, main: bool) -> str:
    """Return the name of the NXdata group that plots a detector's signal."""
    return "data" if main else f"data_{detector}"
