"""Processes: analyses that run over a scan block by block, and never lose work."""

from nxscan.process.block import Block
from nxscan.process.contract import Process
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.frames import Frames
from nxscan.process.noise import Noise
from nxscan.process.output import Output
from nxscan.process.parameters import ProcessParameters
from nxscan.process.progress import RunProgress
from nxscan.process.result import Result

__all__ = [
    "Block",
    "Bound",
    "Correction",
    "Frames",
    "Layout",
    "Noise",
    "Output",
    "Process",
    "ProcessParameters",
    "Result",
    "RunProgress",
]
