"""Draw what a NeXus file shows by default, or one dataset or pixel of it."""

from __future__ import annotations

import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from nxscan.errors import NxscanError, OutputError, SourceError
from nxscan.view.compose import Curve, Panel, compose
from nxscan.view.hdf5 import child, find_plot, is_plot, open_file
from nxscan.view.hints import damage
from nxscan.view.panels import draw_panel, keeps_scale, width_to_height
from nxscan.view.plotdata import read_plot

if TYPE_CHECKING:
    from os import PathLike

    from nxscan.view.blocks import Progress
    from nxscan.view.compose import Reduce
    from nxscan.view.plotdata import PlotData

_log = logging.getLogger(__name__)

HEIGHT = 5.0
"""Height of one panel in inches."""

DPI = 150

_FRAMES = "entry/data"

_LETTERS = 10
"""How many of a title's letters stand on an inch."""


@overload
def plot(
    path: str | PathLike[str],
    output: None = None,
    *,
    h5path: str | None = None,
    pixel: tuple[int, int] | None = None,
    reduce: Reduce = "sum",
    log: bool | None = None,
    progress: Progress | None = None,
) -> Any: ...


@overload
def plot(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    h5path: str | None = None,
    pixel: tuple[int, int] | None = None,
    reduce: Reduce = "sum",
    log: bool | None = None,
    progress: Progress | None = None,
) -> Path: ...


def plot(
    path: str | PathLike[str],
    output: str | PathLike[str] | None = None,
    *,
    h5path: str | None = None,
    pixel: tuple[int, int] | None = None,
    reduce: Reduce = "sum",
    log: bool | None = None,
    progress: Progress | None = None,
) -> Any:
    """Draw the default plot of a NeXus or HDF5 file.

    A stack of frames is shown as the frames summed over the scan, beside the intensity summed
    over the detector along the scan: the rocking curve, or its map. The frames are read block
    by block, so that memory stays small whatever the file's size.

    Parameters
    ----------
    path : path-like
        A NeXus or any HDF5 file.
    output : path-like, optional
        Where the picture goes: PNG, or what else matplotlib can write by that suffix.
    h5path : str, optional
        A group or dataset of the file; without it, its ``@default`` is followed.
    pixel : tuple of int, optional
        Row and column of the one pixel whose values along the scan are wanted. Where the file
        has a result of ``rocking_curve``, its newest fit is drawn with them, and what is left;
        else the center and width of its newest ``moments``, if any.
    reduce : {"sum", "mean", "max"} or mapping of str to int
        How to reduce the dimensions that do not fit on paper; a mapping gives the index to use
        for each axis that it names, and the rest is summed. The titles say what was done.
    log : bool, optional
        Logarithmic colors and curves; without it, only where a linear scale would show nothing.
    progress : callable, optional
        Called with the values read and the values in all while frames are read.

    Returns
    -------
    pathlib.Path or matplotlib.figure.Figure
        ``output``, or without one the figure, which a notebook shows. It opens no window.

    Raises
    ------
    SourceError
        If the file cannot be read, or the default or ``h5path`` leads to nothing to draw.
    NxscanError
        If the pixel, an axis or an index is not there.
    OutputError
        If the picture cannot be written.

    Examples
    --------
    >>> import h5py, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with h5py.File(folder / "a.h5", "w") as file:
    ...     file["curve"] = [1.0, 4.0, 9.0]
    >>> plot(folder / "a.h5", folder / "a.png").name
    'a.png'
    >>> plot(folder / "a.h5").axes[0].get_ylabel()
    'curve'

    """
    fitted = None if pixel is None or h5path is not None else _with_fit(path, pixel)
    if fitted is not None:
        figure = draw(*fitted, log)
        return figure if output is None else save(figure, output)
    with open_file(path) as file:
        for sentence in damage(file):
            _log.warning("%s: %s", path, sentence)
        data = _plot_data(file, h5path, pixel)
        try:
            panels = compose(data, reduce, pixel, progress)
        except (OSError, RuntimeError) as error:
            raise SourceError(
                f"{path}: {data.path} cannot be read: {error}", "the file is damaged"
            ) from error
        place = f"{Path(path).name}  {data.path}  {_shape(data.signal)}  {data.note}".rstrip()
    figure = draw(panels, data.title, place, log)
    return figure if output is None else save(figure, output)


def _with_fit(
    path: str | PathLike[str], pixel: tuple[int, int]
) -> tuple[list[Panel], str, str] | None:
    """Return panels, title and place of a pixel's curve with its fit, None if there is none."""
    from nxscan.view.pixel_fit import fit_panels, newest

    result = newest(path)
    if result is None:
        return None
    try:
        panels, title = fit_panels(result, pixel)
    except NxscanError as error:
        _log.warning("%s: shown without %s: %s", path, result.group, error)
        return None
    return panels, title, f"{Path(path).name}  {result.stored.signal_path}  {result.group}"


def _plot_data(file: Any, h5path: str | None, pixel: tuple[int, int] | None) -> PlotData:
    """Return what is drawn; of a file whose default is a map, a pixel is one of its frames."""
    data = read_plot(find_plot(file, h5path))
    if pixel is None or h5path is not None or data.signal.ndim > data.frame_ndim:
        return data
    frames = child(file, _FRAMES)
    return read_plot(frames) if frames is not None and is_plot(frames) else data


def draw(panels: list[Panel], title: str, place: str, log: bool | None = None) -> Any:
    """Lay panels out in a figure.

    Parameters
    ----------
    panels : list of Panel
        What to draw.
    title : str
        Title of the figure.
    place : str
        Where it comes from, in small print.
    log : bool, optional
        As in `plot`.

    Returns
    -------
    matplotlib.figure.Figure

    """
    from nxscan.view.figure import Picture

    rows, columns, size = _layout(panels)
    figure = Picture(figsize=size, dpi=DPI, layout="constrained")
    heights, widths = _ratios(panels, rows, columns)
    grid = figure.add_gridspec(rows, columns, height_ratios=heights, width_ratios=widths)
    for number, panel in enumerate(panels):
        ax = figure.add_subplot(grid[divmod(number, columns)])
        draw_panel(figure, ax, panel, log)
    lines = textwrap.wrap(title, int(_LETTERS * size[0]))
    figure.suptitle("\n".join(lines), fontweight="bold", parse_math=False)
    figure.supxlabel(place, fontsize="x-small", color="0.45", x=0.99, ha="right", parse_math=False)
    return figure


def _layout(panels: list[Panel]) -> tuple[int, int, tuple[float, float]]:
    """Return rows, columns and size: side by side, but a wide frame above its curve."""
    shape = min(max(width_to_height(panels[0]), 0.5), 3.2)
    width = HEIGHT * shape + 1.2
    if len(panels) == 1:
        return 1, 1, (max(width, 5.5), HEIGHT + 0.6)
    if len(panels) == 2 and isinstance(panels[1], Curve) and shape > 2 and keeps_scale(panels[0]):
        return 2, 1, (11.0, 11.0 / shape + HEIGHT)
    columns = 2 if len(panels) <= 4 else 3
    rows = -(-len(panels) // columns)
    if _is_stacked(panels):
        return 2, 1, (8.0, 6.5)
    if len(panels) == 2:
        return 1, 2, (width + 6.5, HEIGHT + 0.6)
    return rows, columns, (5.0 * columns, 3.4 * rows + 0.6)


def _ratios(panels: list[Panel], rows: int, columns: int) -> tuple[list[float], list[float]]:
    if len(panels) == 2 and (rows, columns) == (1, 2):
        first = min(max(width_to_height(panels[0]), 0.5), 3.2)
        return [1.0], [HEIGHT * first + 1.2, 6.5]
    if _is_stacked(panels):
        return [3.0, 1.0], [1.0]
    return [1.0] * rows, [1.0] * columns


def _is_stacked(panels: list[Panel]) -> bool:
    return len(panels) == 2 and isinstance(panels[1], Curve) and panels[1].is_below


def _shape(signal: Any) -> str:
    return f"{' × '.join(str(n) for n in signal.shape)} {signal.dtype}".strip()


def save(figure: Any, output: str | PathLike[str]) -> Path:
    """Write a figure to a file and return its path."""
    output = Path(output)
    known = figure.canvas.get_supported_filetypes()
    if output.suffix[1:].lower() not in known:
        raise OutputError(
            f"{output} has no picture's suffix", f"use one of {', '.join(sorted(known))}"
        )
    try:
        figure.savefig(output)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error}") from error
    return output
