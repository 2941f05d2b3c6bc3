"""Where the modules of a Lambda detector lie in its frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import h5py
import numpy as np

from nxscan.errors import NxscanError, SourceError
from nxscan.model.units import convert, is_unit, root_units
from nxscan.translate.h5source import open_source
from nxscan.translate.h5values import text
from nxscan.translators.lambda_xspectrum.files import DETECTOR, Module

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Corner = tuple[int, int]

_PIXELS = {"", "px", "pixel", "pixels", "none", "1"}
_EMPTY = 32
"""How many times the modules' pixels a frame may have."""

_NEAR = 0.05
"""How far from a whole pixel a place may be, in pixels."""


def frame_shape(modules: Sequence[Module], corners: Sequence[Corner]) -> tuple[int, int]:
    """Return the lengths of the frame that holds all modules.

    Raises
    ------
    SourceError
        If hardly any of it would be covered.

    """
    ends = [
        (corner[0] + module.shape[0], corner[1] + module.shape[1])
        for module, corner in zip(modules, corners, strict=True)
    ]
    height, width = max(end[0] for end in ends), max(end[1] for end in ends)
    if height * width > _EMPTY * sum(module.shape[0] * module.shape[1] for module in modules):
        raise SourceError(
            f"{modules[0].blocks[0].path}: {len(modules)} modules lie so far apart that a frame "
            f"would have {height} × {width} pixels",
            "check their translation/distance, or translate each module alone",
        )
    return height, width


def corners_of(modules: Sequence[Module]) -> list[Corner]:
    """Return row and column of each module's first pixel; the lowest are 0.

    Raises
    ------
    SourceError
        If a module's place is not known though there are several, or modules overlap.

    """
    places = [_place(module, alone=len(modules) == 1) for module in modules]
    lowest = np.min(places, axis=0)
    corners = [(int(y - lowest[0]), int(x - lowest[1])) for y, x in places]
    boxes = [(*c, *m.shape) for c, m in zip(corners, modules, strict=True)]
    for k, box in enumerate(boxes):
        for j, other in enumerate(boxes[:k]):
            if _overlap(box, other):
                raise SourceError(
                    f"{modules[k].blocks[0].path}: module {modules[k].number} at row {box[0]}, "
                    f"column {box[1]} lies over module {modules[j].number} at row {other[0]}, "
                    f"column {other[1]}",
                    "the files are not of one detector",
                )
    return corners


def _overlap(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    return all(one[k] < two[k] + two[k + 2] and two[k] < one[k] + one[k + 2] for k in range(2))


def _place(module: Module, *, alone: bool) -> tuple[int, int]:
    """Return row and column of a module as its file says, in whole pixels."""
    path = module.blocks[0].path
    key = f"/entry/{DETECTOR}/translation/distance"
    with open_source(path) as file:
        node = file.get(key)
        said = np.asarray(node[()], np.float64).ravel() if isinstance(node, h5py.Dataset) else None
        units = text(node.attrs.get("units", "")) if said is not None else ""
    if said is None or len(said) < 2 or not np.isfinite(said[:2]).all():
        if alone:
            return 0, 0
        raise SourceError(
            f"{path} does not say where module {module.number} is: {key} has no column and row",
            "translate each module alone, or copy the file again",
        )
    pixels = said[:2] if units.lower() in _PIXELS else _in_pixels(said[:2], units, module)
    whole = np.rint(pixels)
    if np.abs(pixels - whole).max() > _NEAR and not alone:
        raise SourceError(
            f"{path}: module {module.number} is at column {pixels[0]:g}, row {pixels[1]:g}, "
            "between pixels",
            "translate each module alone",
        )
    return int(whole[1]), int(whole[0])


def _in_pixels(lengths: NDArray[np.float64], units: str, module: Module) -> NDArray[np.float64]:
    sizes = []
    for axis in ("x", "y"):
        size = str(module.values.get(f"{DETECTOR}/{axis}_pixel_size", ""))
        size_units = str(module.values.get(f"{DETECTOR}/{axis}_pixel_size@units", "um"))
        try:
            sizes.append(float(convert(float(size), size_units, "m")))
            if not is_unit(units) or root_units(units) != "meter":
                raise ValueError
        except (ValueError, NxscanError) as error:
            raise SourceError(
                f"{module.blocks[0].path}: the place of module {module.number} is in {units!r}, "
                f"which its {axis} pixel size {size!r} cannot turn into pixels"
            ) from error
    return np.asarray(convert(lengths, units, "m") / np.array(sizes))
