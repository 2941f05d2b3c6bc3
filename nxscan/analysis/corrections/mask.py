"""Bad pixels, saturated values and gap values become NaN."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from nxscan.analysis.corrections.files import read_file
from nxscan.analysis.corrections.steps import (
    as_floats,
    check_frame_shape,
    check_untouched,
    done,
    own_variance,
    pixels,
    room,
)
from nxscan.errors import ProcessError
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames

log = logging.getLogger(__name__)

_NOTHING = (1.0, 0.0)


def _off(value: Any) -> Any:
    return None if isinstance(value, str) and value.lower() in ("none", "off") else value


@dataclass(frozen=True, eq=False)
class MaskBound(Bound):
    """NaN for bad pixels and for values in two ranges.

    Attributes
    ----------
    keep : ndarray, shape of a frame
        1 for a good pixel, NaN for a bad one, in the type of what comes out.
    full, gap : tuple of float
        First and last value that is saturated, and that marks a gap; the first above the last
        where there are none.

    """

    keep: NDArray[Any]
    full: tuple[float, float]
    gap: tuple[float, float]

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Mask."""
        dtype = self.keep.dtype
        values, out, fresh = room(frames, dtype)
        full, gap = (_typed(part, dtype) for part in (self.full, self.gap))
        keep, missing = pixels(self.keep, region), dtype.type(np.nan)
        kernels.mask(values, keep, full, gap, missing, out, fresh)
        return done(frames, region, out, own_variance(frames), missing=True)


def _typed(part: tuple[float, float], dtype: np.dtype[Any]) -> tuple[Any, Any]:
    return dtype.type(part[0]), dtype.type(part[1])


class Mask(Correction):
    """Make NaN, and not valid, what is no measurement: bad pixels, saturation, gaps.

    The scan's own ``pixel_mask`` (0 is good) is taken unless ``pixel_mask=False``, and that of
    a file, whose polarity must be said: files of either meaning look alike. Saturated values
    are those from ``saturation`` on; ``"auto"`` masks the largest value of an unsigned type
    (65535, 2³² − 1), which detectors write for saturated pixels and gaps, and −1 and −2 of a
    signed one, which mark gaps and bad pixels. (darfix multiplies by the mask: its bad pixels
    become zeros, which count.)
    """

    name = "mask"

    class Parameters(ProcessParameters):
        """What a user may set."""

        pixel_mask: bool = Field(True, description="Whether the scan's own mask is taken.")
        path: Path | None = Field(
            None, description="A file with a mask as well: EDF, TIFF, HDF5, npy."
        )
        dataset: str | None = Field(None, description="Where the mask is in an HDF5 file.")
        polarity: Literal["good=1", "bad=1"] | None = Field(
            None, description="What a value other than 0 in the file's mask says of a pixel."
        )
        saturation: Annotated[float | Literal["auto"] | None, BeforeValidator(_off)] = Field(
            "auto",
            description="Smallest value that is saturated; 'auto' by the values' type, none "
            "masks no values.",
            json_schema_extra={"units": "counts"},
        )

    def bind(self, scan: Scan, layout: Layout) -> MaskBound:
        """Join the masks and settle what is saturated."""
        bad = np.zeros(layout.frame_shape, bool)
        if self.parameters.pixel_mask and scan.mask is not None:
            own = np.asarray(scan.mask) != 0
            check_frame_shape(own, layout, f"the mask of {scan.title!r}")
            bad |= own
        if self.parameters.path is not None:
            bad |= self._of_file(layout)
        _check_share(bad, scan)
        full, gap = self._values(scan, layout)
        keep = np.where(bad, np.nan, 1.0).astype(as_floats(layout).dtype)
        return MaskBound(before=layout, keep=keep, full=full, gap=gap)

    def _of_file(self, layout: Layout) -> NDArray[np.bool_]:
        given = self.parameters
        if given.polarity is None:
            raise ProcessError(
                f"correction mask: what does 1 mean in {given.path}?",
                "give polarity=good=1 or polarity=bad=1",
            )
        values = read_file(given.path, given.dataset, "correction mask")
        if values.ndim == len(layout.frame_shape) + 1 and len(values) == 1:
            values = values[0]
        check_frame_shape(values, layout, f"mask {given.path}")
        marked: NDArray[np.bool_] = values != 0
        return ~marked if given.polarity == "good=1" else marked

    def _values(
        self, scan: Scan, layout: Layout
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        least, dtype = self.parameters.saturation, layout.dtype
        if least is None:
            return _NOTHING, _NOTHING
        check_untouched(
            scan,
            layout,
            "what is saturated, in correction mask,",
            "give it first in the chain, or saturation=none",
        )
        gap = (-2.0, -1.0) if dtype.kind == "i" else _NOTHING
        if least != "auto":
            return (float(least), np.inf), gap
        most = float(np.iinfo(dtype).max) if dtype.kind == "u" else 0.0
        return ((most, most) if most else _NOTHING), gap


def _check_share(bad: NDArray[np.bool_], scan: Scan) -> None:
    lost = int(bad.sum())
    if lost and lost == bad.size:
        raise ProcessError(
            f"correction mask: all {lost} pixels of {scan.title!r} are bad",
            "look at the mask's polarity",
        )
    if lost > bad.size / 2:
        log.warning(
            "correction mask: %d of %d pixels of %r are bad, more than half; "
            "look at the mask's polarity",
            lost,
            bad.size,
            scan.title,
        )
