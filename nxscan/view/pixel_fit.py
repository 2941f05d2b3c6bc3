"""A pixel's curve with what the newest result in the file says of it: the fit and what is left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.moments_plan import chosen_axes, places_of
from nxscan.analysis.rocking_curve_maps import STATUS
from nxscan.errors import NxscanError
from nxscan.nexus import read_scan
from nxscan.nexus.result_read import has_errors, read_result_scan
from nxscan.process.replay import restored
from nxscan.process.result import Result, results
from nxscan.process.view import make_view, seen
from nxscan.view.compose import Curve, Line, Map, Scatter
from nxscan.view.pixel_fit_model import background_of, peaks_of
from nxscan.view.plotdata import PlotAxis, label_of

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan
    from nxscan.process.contract import Process
    from nxscan.view.compose import Panel

    Floats = NDArray[np.float64]

FITTED = ("rocking_curve", "moments")
"""Processes whose results tell of a pixel's curve; the first that there is a result of."""
_POINTS = 400


def newest(path: str | PathLike[str]) -> Result | None:
    """Return the result that tells most of a pixel's curve, None if there is none.

    That is the newest fit of peaks to the frames, else their newest moments.
    """
    try:
        found = [one for one in results(path) if "/instrument/" in one.stored.signal_path]
    except NxscanError:
        return None
    for process in FITTED:
        of_it = [one for one in found if one.process == process]
        if of_it:
            return of_it[-1]
    return None


def fit_panels(result: Result, pixel: tuple[int, int]) -> tuple[list[Panel], str]:
    """Return the panels that show a pixel's curve with its fit, and the title of the scan.

    Parameters
    ----------
    result : Result
        Of ``rocking_curve`` or ``moments``; the curve is read through its corrections.
    pixel : tuple of int
        Row and column of the frames as they are stored.

    Raises
    ------
    NxscanError
        If the pixel is not in the result, or the result cannot be made again from the file.

    """
    one = _Pixel.of(result, pixel)
    is_curve = len(one.axes) == 1 == _moved(one.seen)
    panels = _curves(one) if is_curve else _maps(one)
    return panels, one.seen.title


@dataclass(frozen=True)
class _Pixel:
    """One pixel of a result.

    ``seen`` is the scan through the corrections, ``index`` the pixel in it, ``pixel`` in the
    frames.
    """

    result: Result
    process: Process
    seen: Scan
    index: tuple[int, int]
    pixel: tuple[int, int]

    @classmethod
    def of(cls, result: Result, pixel: tuple[int, int]) -> _Pixel:
        scan = read_scan(result.path)
        process, corrections = restored(result)
        view = make_view(scan, [one.located(result.path) for one in corrections])
        visible = seen(scan, view)
        index = tuple(
            _place(before, after, number, result)
            for before, after, number in zip(
                scan.main_axes()[-2:], visible.main_axes()[-2:], pixel, strict=True
            )
        )
        return cls(result, process, visible, (index[0], index[1]), pixel)

    @cached_property
    def axes(self) -> list[Axis]:
        return chosen_axes(self.seen, getattr(self.process.parameters, "axes", ()))

    @cached_property
    def curve(self) -> Floats:
        return self._read(self.seen)

    @cached_property
    def places(self) -> Floats:
        """Where the positions are along each motor; shape (motors, positions)."""
        return np.array([places_of(self.seen, axis) for axis in self.axes])

    @cached_property
    def values(self) -> dict[str, Floats]:
        return {name: self._read(self.result.as_scan(name)) for name in self.result.names}

    def error(self, name: str) -> Floats | None:
        path, group = self.result.path, self.result.group
        if not has_errors(path, group, name):
            return None
        return self._read(read_result_scan(path, group, name, "data_errors"))

    def _read(self, scan: Scan) -> Floats:
        y, x = self.index
        read = scan.signal.read((..., slice(y, y + 1), slice(x, x + 1)))
        return np.asarray(read[..., 0, 0], np.float64)

    @property
    def is_fit(self) -> bool:
        return self.result.process == FITTED[0]

    def peaks(self, places: Floats) -> list[Floats]:
        names, profile = [axis.name for axis in self.axes], self.process.parameters.profile
        return peaks_of(profile, names, self.values, places)

    def background(self, places: Floats) -> Floats:
        middle = 0.5 * (self.places.min(axis=1) + self.places.max(axis=1))
        names = [axis.name for axis in self.axes]
        return background_of(names, self.values, places, middle.tolist())

    def model(self, places: Floats) -> Floats | None:
        peaks = self.peaks(places) if self.is_fit else []
        return self.background(places) + np.sum(peaks, axis=0) if peaks else None


def _moved(scan: Scan) -> int:
    return sum(length > 1 for length in scan.scan_shape)


def _place(before: Axis, after: Axis, number: int, result: Result) -> int:
    """Return where a pixel of the frames is in what the result was made of."""
    if not 0 <= number < len(before):
        raise NxscanError(
            f"pixel {before.name} = {number} is outside the frames: they have {len(before)}"
        )
    away = np.abs(after.values - before.values[number])
    nearest = int(away.argmin())
    step = np.abs(np.diff(after.values)).max() if len(after) > 1 else 1.0
    if away[nearest] > 0.5 * step:
        raise NxscanError(
            f"pixel {before.name} = {number} is not in {result.group}, which was made of "
            f"{after.name} = {after.values.min():g} to {after.values.max():g}",
            "choose one of its pixels",
        )
    return nearest


def _curves(one: _Pixel) -> list[Panel]:
    """Show a curve along one motor, with its fit on it and what is left below."""
    x = one.places[0]
    order = np.argsort(x, kind="stable")
    label = label_of(one.seen.signal.long_name or "intensity", one.seen.signal.units or "")
    axis = _axis(one.axes[0], x[order])
    title = "\n".join([_name(one), "; ".join(_facts(one))]).strip()
    values = one.curve.reshape(-1)
    model = one.model(one.places)
    lines = _lines(one) if model is not None else _marks(one)
    panels: list[Panel] = [Curve(title, label, values[order], axis, lines=lines, is_points=True)]
    if model is not None:
        rest = (values - model)[order]
        panels.append(Curve("", label_of("residual", one.seen.signal.units or ""), rest, axis,
                            lines=(Line("", axis.values, np.zeros(len(rest)), "thin"),),
                            is_points=True, is_below=True))  # fmt: skip
    return panels


def _maps(one: _Pixel) -> list[Panel]:
    """Show a curve along several motors as maps: it, its fit, and what is left."""
    axes = one.seen.main_axes()[: len(one.seen.scan_shape)]
    label = label_of(one.seen.signal.long_name or "intensity", one.seen.signal.units or "")
    shown = [(_name(one), label, one.curve)]
    model = one.model(one.places) if len(one.axes) == len(one.places) else None
    if model is not None:
        fitted = model.reshape(one.curve.shape)
        rest = label_of("residual", one.seen.signal.units or "")
        shown += [("fit", label, fitted), ("residual", rest, one.curve - fitted)]
    said = "\n".join(_facts(one))
    titles = [f"{_name(one)}\n{said}" if said else _name(one), *(each[0] for each in shown[1:])]
    return [
        _map(one, axes, title, text, values)
        for title, (_, text, values) in zip(titles, shown, strict=True)
    ]


def _map(one: _Pixel, axes: list[Axis], title: str, label: str, values: Floats) -> Panel:
    """Show values over the two fastest axes, or where a list of positions lies."""
    if values.ndim < 2:
        y, x = (_axis(axis, row) for axis, row in zip(one.axes[:2], one.places[:2], strict=True))
        return Scatter(title, label, values, y, x)
    over = tuple(range(values.ndim - 2))
    summed = f"{title}, sum over {', '.join(a.name for a in axes[:-2])}" if over else title
    y, x = (_axis(axis, axis.values) for axis in axes[-2:])
    return Map(summed, label, values.sum(axis=over), y, x)


def _axis(axis: Axis, values: Floats) -> PlotAxis:
    return PlotAxis(axis.name, np.asarray(values, np.float64), axis.units or "", axis.name)


def _lines(one: _Pixel) -> tuple[Line, ...]:
    """Return the fit, its peaks where there are several, and the background, finely drawn."""
    x = np.linspace(one.places.min(), one.places.max(), _POINTS)[np.newaxis]
    peaks, base = one.peaks(x), one.background(x)
    lines = [Line(f"fit ({one.process.parameters.profile})", x[0], base + sum(peaks), "line")]
    if len(peaks) > 1:
        lines += [Line(f"peak {k}", x[0], base + p, "dashed") for k, p in enumerate(peaks, 1)]
    return (*lines, Line("background", x[0], base, "thin"))


def _marks(one: _Pixel) -> tuple[Line, ...]:
    """Return where moments, or a fit that failed, have the center and half maxima."""
    if one.is_fit or len(one.axes) > 1:
        return ()
    center, width = (float(one.values[name]) for name in ("center", "fwhm"))
    if not np.isfinite([center, width]).all():
        return ()
    ends = np.array([np.nanmin(one.curve), np.nanmax(one.curve)])
    places = {"center of mass": center, "FWHM": center - width / 2, "": center + width / 2}
    return tuple(
        Line(text, np.full(2, place), ends, "line" if text.startswith("center") else "dashed")
        for text, place in places.items()
    )


def _name(one: _Pixel) -> str:
    through = ", ".join(str(said["name"]) for said in one.result.stored.corrections)
    read = f", read through {through}" if through else ""
    return f"pixel y = {one.pixel[0]}, x = {one.pixel[1]}{read}"


def _facts(one: _Pixel) -> Sequence[str]:
    """Return what the result says of the pixel: centers, widths, how well, or why not."""
    found = []
    for axis in one.axes:
        after = "" if len(one.axes) == 1 else f"_{axis.name}"
        for name in (f"center{after}", f"fwhm{after}"):
            value = float(np.ravel(one.values[name])[0])
            if np.isfinite(value):
                found.append(f"{name} = {_with_error(value, one.error(name))} {axis.units or ''}")
    status = int(one.values["status"])
    if one.is_fit:
        chi = float(np.ravel(one.values["chi_square"])[0])
        found += [f"chi² = {chi:.3g}"] if np.isfinite(chi) else []
        if status:
            found.append(_reason(status))
    elif status:
        found.append(f"status {status}")
    return found


def _with_error(value: float, error: Floats | None) -> str:
    """Return a value with its error, to two digits of the error.

    >>> _with_error(0.123456, np.array([0.0021])), _with_error(2.0, None)
    ('0.1235 ± 0.0021', '2')
    """
    spread = np.nan if error is None else float(np.ravel(error)[0])
    if not np.isfinite(spread) or spread <= 0:
        return f"{value:.6g}"
    digits = max(0, 1 - int(np.floor(np.log10(spread))))
    return f"{value:.{digits}f} ± {spread:.{digits}f}"


def _reason(status: int) -> str:
    """Return what a status of a fit means.

    >>> _reason(1)
    'too weak'
    """
    found: Any = re.search(rf"\b{status} ([^,;(]+)", STATUS)
    return f"status {status}" if found is None else found.group(1).strip()
