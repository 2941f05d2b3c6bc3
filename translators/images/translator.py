"""The translator of image files: files in, scans out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from nxscan.translate.series.reading import read_all
from nxscan.translate.series.translator import SeriesTranslator
from nxscan.translators.images.file import is_image, read_frames
from nxscan.translators.images.formats import FORMATS
from nxscan.translators.images.marccd import MAR_ANGLES
from nxscan.translators.images.signal import is_plain, signal_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Signal
    from nxscan.translate.series.frame import Frame, Read
    from nxscan.translate.series.keys import Keys
    from nxscan.translators.images.frame import ImageFrame

_START, _STEP = "Start_angle", "Angle_increment"


class ImagesTranslator(SeriesTranslator):
    """Reads series of images that fabio reads, with the headers that DECTRIS' detectors write."""

    name: ClassVar[str] = "images"
    kind: ClassVar[str] = "image"
    description: ClassVar[str] = "images: " + ", ".join(dict.fromkeys(one.name for one in FORMATS))
    mapping: ClassVar[str] = "images"

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is an image: by its first bytes, and by its name where needed."""
        return is_image(path)

    def refusal(self, path: Path) -> str:
        """Say why a file is no image."""
        return f"{path.name} begins like no image that is known"

    def read_all(self, paths: Sequence[str]) -> list[Read]:
        """Read the headers of files; what is wrong with one stands where its frames would."""
        return read_all(paths, read_frames)

    def signal(self, frames: Sequence[Frame], what: str, *, link: bool) -> Signal:  # noqa: ARG002  plain pixels are read where they lie in any case
        """Return frames as a signal of one scan dimension, in their order."""
        places = [frame.place for frame in _own(frames)]
        units = "counts" if np.dtype(places[0].layout.dtype).kind in "iu" else None
        return signal_of(places, units, what)

    def obstacle(self, frames: Sequence[Frame]) -> str:
        """Say why no file can lead to these frames: they are compressed."""
        for frame in _own(frames):
            if not is_plain(frame.place):
                how = frame.place.packing or "inside the file"
                return f"{frame.place.path} is compressed ({how})"
        return ""

    def complete(self, keys: Keys) -> Keys:
        """Add the angles in the middle of each exposure, where the headers say where it began.

        That of DECTRIS' headers is named after the axis that oscillates.
        """
        added: dict[str, NDArray[np.float64]] = {}
        values = dict(keys.values)
        start = keys.motors.get(_START)
        if start is not None:
            said = values.get("Oscillation_axis")
            words = said.replace(",", " ").split() if isinstance(said, str) else []
            name = words[0].lower() if words else "angle"
            added[name] = start + 0.5 * keys.motors.get(_STEP, np.zeros(len(start)))
            values[f"{name}@units"] = values.get(f"{_START}@units", "degree")
        for angle in MAR_ANGLES:
            begin, end = (keys.motors.get(f"mar_{when}_{angle}") for when in ("start", "end"))
            if begin is not None and end is not None:
                added[angle] = 0.5 * (begin + end)
                values[f"{angle}@units"] = "degree"
        if not added:
            return keys
        motors = {
            key: one
            for key, one in keys.motors.items()
            if key not in (_START, _STEP) and not key.startswith("mar_")
        }
        return replace(keys, values=values, motors={**added, **motors})


def _own(frames: Sequence[Frame]) -> Sequence[ImageFrame]:
    return cast("Sequence[ImageFrame]", frames)
