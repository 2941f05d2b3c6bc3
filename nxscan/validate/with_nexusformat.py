"""nexusformat's validator: NeXus base classes and application definitions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.hints import hint_for
from nxscan.validate.processes import run_script

_UNUSUAL = "look for links whose target is gone and for empty attributes (h5py.Empty)"


def nexus_classes(target: Target) -> Iterator[Finding]:
    """Check every group and field against its NeXus class, in a process of its own.

    Entries that name an application definition are checked against it, NeXus' or nxscan's own.
    """
    own = str(files("nxscan.schemas.applications"))
    found = run_script("nexusformat_process.py", target.path, own)["findings"]
    for severity, path, rule, message in found:
        hint = _UNUSUAL if rule == "validator crash" else hint_for("nexusformat", message)
        yield Finding(severity, path, rule, message, hint, "nexusformat")
