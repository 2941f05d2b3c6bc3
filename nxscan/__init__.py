"""Scanning X-ray data as NeXus and USID: translate, validate, analyze, view.

Examples
--------
>>> import nxscan
>>> path = nxscan.translate("raw/", "scan.nxs")  # doctest: +SKIP
>>> scan = nxscan.open(path)  # doctest: +SKIP
>>> scan.frame(mu=0.1)  # doctest: +SKIP

Everything here is loaded when it is first used, so that ``import nxscan`` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nxscan.api import (
        inspect,
        open,  # noqa: A004  nxscan.open is the name that is wanted
        results,
        scans,
        translate,
        translate_all,
        validate,
    )
    from nxscan.errors import NxscanError
    from nxscan.inspection import Inspection
    from nxscan.model import Axis, Field, Group, Scan, Signal
    from nxscan.process.contract import Process
    from nxscan.process.output import Output
    from nxscan.process.parameters import ProcessParameters
    from nxscan.process.replay import replay
    from nxscan.process.result import Result
    from nxscan.relinking import relink
    from nxscan.view import plot

    __version__: str

__all__ = [
    "Axis",
    "Field",
    "Group",
    "Inspection",
    "NxscanError",
    "Output",
    "Process",
    "ProcessParameters",
    "Result",
    "Scan",
    "Signal",
    "__version__",
    "inspect",
    "open",
    "plot",
    "relink",
    "replay",
    "results",
    "scans",
    "translate",
    "translate_all",
    "validate",
]

_HOME = {
    "Axis": "nxscan.model",
    "Field": "nxscan.model",
    "Group": "nxscan.model",
    "Inspection": "nxscan.inspection",
    "NxscanError": "nxscan.errors",
    "Output": "nxscan.process.output",
    "Process": "nxscan.process.contract",
    "ProcessParameters": "nxscan.process.parameters",
    "Result": "nxscan.process.result",
    "Scan": "nxscan.model",
    "Signal": "nxscan.model",
    "inspect": "nxscan.api",
    "open": "nxscan.api",
    "plot": "nxscan.view",
    "relink": "nxscan.relinking",
    "replay": "nxscan.process.replay",
    "results": "nxscan.api",
    "scans": "nxscan.api",
    "translate": "nxscan.api",
    "translate_all": "nxscan.api",
    "validate": "nxscan.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("nxscan")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps ``nxscan.translate`` and ``nxscan.validate`` functions.

    Importing the subpackage of the same name would otherwise put the module in its place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOME and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
