"""A Scan made of a Lambda series: its modules put in place, masks and flat fields with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.virtual import Tile, VirtualSignal
from nxscan.translate.build import Found
from nxscan.translate.h5blocks import PARTIAL
from nxscan.translate.h5scan import finish
from nxscan.translate.rawvalues import constants, is_true
from nxscan.translate.runs import gaps, runs_text
from nxscan.translators.lambda_xspectrum.files import DETECTOR, NOT_GIVEN, Module, Series
from nxscan.translators.lambda_xspectrum.geometry import corners_of, frame_shape
from nxscan.translators.lambda_xspectrum.images import flat_factors, mask_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan, Source
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.lambda_xspectrum.geometry import Corner

    Numbers = NDArray[np.int64]

_SHOWN = 5


def build(series: Series, options: Options, report: Report) -> Scan | None:
    """Return the scan of a series; None where the report has errors that leave none."""
    _check_files(series, options, report)
    if not series.modules:
        return None
    numbers = _common_numbers(series, options, report)
    if numbers is None:
        return None
    corners = corners_of(series.modules)
    frame = frame_shape(series.modules, corners)
    signal = _signal(series.modules, corners, frame, numbers)
    found = Found(
        title=series.title,
        detectors={"detector": signal},
        counters={"sequence_number": numbers.astype(np.float64)},
        values=constants(_values(series), len(numbers)),
        labels={"sequence_number": "number of the frame in its series"},
        sources=_sources(series, numbers),
        mask=mask_of(series.modules, corners, frame, report),
    )
    return finish(
        found,
        options,
        report,
        "lambda",
        mapping="lambda",
        started=series.started,
        factors=flat_factors(series.modules, corners, frame, report),
        applied=is_true(series.values, f"{DETECTOR}/flatfield_applied"),
    )


def _check_files(series: Series, options: Options, report: Report) -> None:
    """Report files that are missing or cannot be read, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for path, reason in series.lost:
        reasons.setdefault(reason, []).append(path)
    for reason, paths in reasons.items():
        names = ", ".join(Path(path).name for path in paths[:_SHOWN])
        more = f" … ({len(paths)} files)" if len(paths) > _SHOWN else ""
        if options.partial or (options.live and reason != NOT_GIVEN):
            report.warning(str(series.folder), f"{names}{more}: {reason}")
        else:
            hint = "give the folder, or copy it there; --partial does without"
            report.error(str(series.folder), f"{names}{more}: {reason}", hint)


def _common_numbers(series: Series, options: Options, report: Report) -> Numbers | None:
    """Return the numbers of the frames that every module has, and report all others."""
    every = np.unique(np.concatenate([block.numbers for block in series.blocks]))
    if not any(len(module.numbers) for module in series.modules):
        message = f"none of the {len(every)} frames was ever written: all are fill values"
        report.error(str(series.blocks[0].path), message)
        return None
    first = int(every[0])
    last = max(int(every[-1]), first + (series.declared or 0) - 1)
    common = every
    missing = False
    for module in series.modules:
        lacking = gaps(module.numbers, first, last)
        if lacking:
            missing = True
            _report_lacking(series, module, lacking, last - first + 1, options, report)
        common = np.intersect1d(common, module.numbers)
    if missing and options.live and not options.partial:
        common = common[common - first == np.arange(len(common))]
    if not len(common):
        counts = ", ".join(f"module {m.number} {len(m.numbers)}" for m in series.modules)
        report.error(series.title, f"no frame is there in every module: {counts}", PARTIAL)
        return None
    return np.asarray(common, np.int64)


def _report_lacking(
    series: Series,
    module: Module,
    lacking: list[range],
    total: int,
    options: Options,
    report: Report,
) -> None:
    unwritten = np.concatenate([block.numbers[~block.written] for block in module.blocks])
    never = len(np.unique(unwritten)) == sum(map(len, lacking))
    reason = "were never written" if never else "are not in its files"
    where = str(module.blocks[-1].path)
    message = f"module {module.number}: frames {runs_text(lacking)} of {total} {reason}"
    if options.live or options.partial or series.lost:
        report.warning(where, message, f"frames of {series.title} that all modules have are taken")
    else:
        report.error(where, message, f"{PARTIAL}, or with --live while it runs")


def _signal(
    modules: tuple[Module, ...],
    corners: list[Corner],
    frame: tuple[int, int],
    numbers: Numbers,
) -> VirtualSignal:
    """Return the modules as one signal; what no module covers has the largest value."""
    sources = [block.frames for module in modules for block in module.blocks]
    tiles = []
    first = 0
    for module, corner in zip(modules, corners, strict=True):
        blocks = module.blocks
        counts = [block.frames.count for block in blocks]
        source = np.repeat(np.arange(first, first + len(blocks), dtype=np.int32), counts)
        index = np.concatenate([np.arange(count, dtype=np.int64) for count in counts])
        listed = np.concatenate([block.numbers for block in blocks])
        order = np.argsort(listed, kind="stable")
        at = order[np.searchsorted(listed, numbers, sorter=order)]
        tiles.append(Tile(corner, module.shape, source[at], index[at]))
        first += len(blocks)
    gap = _gap(sources[0].dtype)
    shape = (len(numbers),)
    return VirtualSignal(sources, tiles, shape, frame, "counts", "intensity", gap)


def _gap(dtype: np.dtype[Any]) -> float:
    """Return the value of what is no pixel: the largest, -1 of signed numbers, else NaN."""
    if dtype.kind == "u":
        return int(np.iinfo(dtype).max)
    return -1 if dtype.kind == "i" else float("nan")


def _values(series: Series) -> dict[str, str | NDArray[Any]]:
    """Return what the first module says, and what the others say otherwise."""
    values = dict(series.values)
    for module in series.modules[1:]:
        for key, value in module.values.items():
            if not np.array_equal(np.asarray(values.get(key)), np.asarray(value)):
                values[f"m{module.number:02d}/{key}"] = value
    return values


def _sources(series: Series, numbers: Numbers) -> list[Source]:
    """Return the files; frames are counted in the first module's only."""
    first = series.modules[0].blocks
    return [
        block.source(int(np.isin(block.numbers, numbers).sum()) if block in first else 0)
        for block in series.blocks
    ]
