"""Pixel masks and flat fields of a Lambda detector's modules, put in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.translate.h5source import open_source
from nxscan.translators.lambda_xspectrum.files import DETECTOR, Module

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translators.lambda_xspectrum.geometry import Corner

GAP = 1
"""Bit of NXdetector's pixel_mask that says that there is no pixel."""


def mask_of(
    modules: Sequence[Module],
    corners: Sequence[Corner],
    frame: tuple[int, int],
    report: Report,
) -> NDArray[np.uint32] | None:
    """Return the modules' masks in place, with the gaps between them masked."""
    mask = np.full(frame, GAP, np.uint32)
    known = False
    for module, (y, x) in zip(modules, corners, strict=True):
        image = _image(module, "pixel_mask", report)
        height, width = module.shape
        known |= image is not None
        mask[y : y + height, x : x + width] = 0 if image is None else image.astype(np.uint32)
    return mask if known or mask.any() else None


def flat_factors(
    modules: Sequence[Module],
    corners: Sequence[Corner],
    frame: tuple[int, int],
    report: Report,
) -> NDArray[np.float64] | None:
    """Return the modules' correction factors in place; NaN where there is none."""
    factors = np.full(frame, np.nan)
    for module, (y, x) in zip(modules, corners, strict=True):
        image = _image(module, "flatfield", report)
        if image is not None:
            factors[y : y + image.shape[0], x : x + image.shape[1]] = image
    return factors if np.isfinite(factors).any() else None


def _image(module: Module, name: str, report: Report) -> NDArray[Any] | None:
    """Return a module's mask or flat field, where it has one that fits."""
    block = module.blocks[0]
    with open_source(block.path) as file:
        node = file.get(f"/entry/{DETECTOR}/{name}")
        if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "iufb" or not node.size:
            return None
        image = np.asarray(node[()])
    image = image[0] if image.ndim == 3 else image
    if image.shape == block.frames.shape:
        return image
    message = f"{name} is {image.shape}, but frames are {block.frames.shape}: it is left out"
    report.warning(str(block.path), message)
    return None
