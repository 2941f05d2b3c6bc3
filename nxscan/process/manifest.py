"""The file in a journal that says what run it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nxscan.nexus import durable

NAME = "manifest.json"
FORMAT = 1
"""Of manifest and block files; a journal of another one is not gone on with."""

_SAME = ("format", "identity", "master", "partition", "blocks", "blocks_total", "passes")
"""What has to be the same for a run to go on with a journal."""


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return what a journal's manifest says; None if there is none, or it is damaged."""
    try:
        found = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    wanted = ("identity", "master", "process", "begun")
    if isinstance(found, dict) and all(isinstance(found.get(key), str) for key in wanted):
        return found
    return None


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest; it is the old one or the new one, whatever happens meanwhile."""
    path = folder / NAME
    temporary = durable.temporary_name(path)
    durable.write_new(temporary, [encode(manifest)], sync=True)
    durable.publish(temporary, path, overwrite=True)
    durable.sync_folder(folder)


def encode(manifest: dict[str, Any]) -> bytes:
    """Return a manifest as the content of a file.

    Values that JSON does not know are written as text: nothing is read back from them.
    """
    return json.dumps(manifest, indent=1, default=str).encode()


def go_together(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Tell whether blocks of the one run can be used by the other."""
    one, other = json.loads(encode(first)), json.loads(encode(second))
    return all(one.get(key) == other.get(key) for key in _SAME)
