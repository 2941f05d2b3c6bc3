"""A package of somebody else's, as pip leaves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Install = Callable[..., Path]

RANGE = '''
from nxscan.process import Output, Process, ProcessParameters

class Range(Process):
    """Largest minus smallest count of every pixel."""

    per = "pixel"

    class Parameters(ProcessParameters):
        scale: float = 1.0

    def outputs(self, scan):
        return [Output("range", units="counts", default=True)]

    def compute(self, block):
        d = block.data.astype(float)
        return {"range": self.parameters.scale * (d.max(axis=0) - d.min(axis=0))}
'''

CUT = '''
from nxscan.process import Correction, ProcessParameters

class Cut(Correction):
    """Cut what is too large."""

    class Parameters(ProcessParameters):
        high: float = 10.0
        levels: tuple[int, ...] = ()
        region: str = ""

    def bind(self, scan, layout):
        raise NotImplementedError
'''


def install_package(folder: Path, name: str, code: str, entry_points: str) -> Path:
    """Write a package with one module, and what pip records about it."""
    module = folder / f"{name}.py"
    module.write_text(code, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    return module
