"""Mapping files: which raw key becomes which NeXus field, for an instrument."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Group
    from nxscan.translate.report import Report


class Known(BaseModel):
    """What is known of a motor or counter: its unit and its name for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    units: str | None = None
    long_name: str = ""


class Mapping(BaseModel):
    """One mapping file. (Work in progress: the fields below are fixed, more follow.)"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    motors: dict[str, Known] = {}
    counters: dict[str, Known] = {}


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file; MappingError lists every problem in it."""
    raise NotImplementedError


def builtin_mapping(name: str) -> Mapping:
    """Read one of the mapping files that come with nxscan (``esrf``)."""
    raise NotImplementedError


def merge(base: Mapping, user: Mapping | None) -> Mapping:
    """Return ``base`` extended (or replaced, where the user's file says so) by ``user``."""
    raise NotImplementedError


def apply_mapping(
    mapping: Mapping,
    values: AbstractMapping[str, str | NDArray[Any]],
    entry: Group,
    report: Report,
) -> None:
    """Fill ``entry`` with the NeXus fields that ``mapping`` finds in the raw ``values``.

    ``values`` are RawMetadata.values: one text for a key that is constant, an array of numbers
    or texts (one a frame) for one that varies.
    """
    raise NotImplementedError
