"""A Scan made of an Eiger series: its images, circles, mask and flat field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.model import Source
from nxscan.translate.build import Found
from nxscan.translate.h5blocks import PARTIAL, choose_written, joined_blocks, sources_of
from nxscan.translate.h5scan import finish
from nxscan.translate.h5source import get_node, open_source
from nxscan.translate.rawvalues import constants, is_true
from nxscan.translate.runs import gaps, runs_text
from nxscan.translators.eiger.files import DETECTOR, SPECIFIC
from nxscan.translators.eiger.goniometer import read_circles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.eiger.files import Series

_SHOWN = 5


def build(series: Series, options: Options, report: Report) -> Scan | None:
    """Return the scan of a series; None where the report has errors that leave none."""
    _check_files(series, options, report)
    if not series.blocks:
        report.error(str(series.master), "none of its data files can be read", PARTIAL)
        return None
    taken = choose_written(series.blocks, options, report)
    if taken is None:
        return None
    numbers = series.numbers[taken]
    _check_count(series, numbers, options, report)
    signal = joined_blocks(series.blocks, taken, "intensity")
    circles = read_circles(series.values, numbers - series.first, report)
    kept = constants(series.values, len(numbers)) | circles.columns
    frame = signal.frame_shape
    found = Found(
        title=series.title,
        detectors={"detector": signal},
        motors=circles.motors,
        counters={"image_number": numbers.astype(np.float64)},
        values=kept,
        units=circles.units,
        labels={"image_number": "number of the image in its series"},
        sources=_sources(series, taken),
        mask=_image(series, "pixel_mask", frame, report),
        integrated=circles.integrated,
    )
    return finish(
        found,
        options,
        report,
        "eiger",
        mapping="eiger",
        widths=circles.widths,
        started=series.started,
        factors=_image(series, "flatfield", frame, report),
        applied=is_true(series.values, f"{DETECTOR}/flatfield_correction_applied"),
    )


def _sources(series: Series, taken: NDArray[np.intp]) -> list[Source]:
    master = Source(str(series.master), series.size, series.modified, 0)
    return [master, *(s for s in sources_of(series.blocks, taken) if s.path != master.path)]


def _check_files(series: Series, options: Options, report: Report) -> None:
    """Report data files that are not there or cannot be read, and their images."""
    last = max((lost.place for lost in series.lost), default=-1)
    waiting = options.live and last - len(series.lost) + 1 == len(series.blocks)
    for lost in series.lost[:_SHOWN]:
        reason = lost.reason.removeprefix(f"{lost.path}: ").removeprefix(f"{lost.path} ")
        message = f"{reason}; {series.images_of(lost)} of {series.master.name} are in it"
        if waiting:
            report.note(str(lost.path), message, "it may not be written yet")
        elif options.partial:
            report.warning(str(lost.path), message)
        else:
            report.error(str(lost.path), message, PARTIAL)
    if len(series.lost) > _SHOWN and not (options.partial or waiting):
        more = f"and {len(series.lost) - _SHOWN} more data files are missing or damaged"
        report.error(str(series.master), more)
    if series.others:
        names = ", ".join(path.name for path in series.others[:_SHOWN])
        report.note("source", f"{len(series.others)} files of no series, left out: {names}")


def _check_count(
    series: Series, numbers: NDArray[np.int64], options: Options, report: Report
) -> None:
    """Report images that are missing though no data file is."""
    declared = len(numbers) if series.declared is None else series.declared
    missing = gaps(numbers, series.first, series.first + declared - 1)
    if not missing or series.lost:
        return
    message = f"{len(numbers)} of {declared} images are there: {runs_text(missing)} are missing"
    if options.live or options.partial:
        report.warning(str(series.master), message)
    elif all(block.written.all() for block in series.blocks):
        report.error(str(series.master), message, f"{PARTIAL}, or with --live while it runs")


def _image(
    series: Series, name: str, shape: tuple[int, ...], report: Report
) -> NDArray[Any] | None:
    """Return the pixel mask or flat field of the master, where it has one that fits."""
    with open_source(series.master) as file:
        for group in (SPECIFIC, DETECTOR):
            try:
                node = get_node(file["entry"], f"{group}/{name}")
            except SourceError as error:
                report.warning(name, error.message, "it is left out")
                return None
            if isinstance(node, h5py.Dataset) and node.size:
                image = np.asarray(node[()])
                image = image[0] if image.ndim == 3 and len(image) == 1 else image
                if image.shape == shape:
                    return image
                text = f"{node.name} is {image.shape}, but images are {shape}: it is left out"
                report.warning(str(series.master), text, "it is of another detector or region")
                return None
    return None
