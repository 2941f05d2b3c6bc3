"""The data model: what a scan is, in memory, without knowledge of any file."""

from nxscan.model.axis import Axis
from nxscan.model.metadata import Field, Group
from nxscan.model.provenance import Provenance, RawMetadata, Source
from nxscan.model.scan import Scan
from nxscan.model.signal import ArraySignal, Signal
from nxscan.model.usid import UsidFace, UsidTable

__all__ = [
    "ArraySignal",
    "Axis",
    "Field",
    "Group",
    "Provenance",
    "RawMetadata",
    "Scan",
    "Signal",
    "Source",
    "UsidFace",
    "UsidTable",
]
