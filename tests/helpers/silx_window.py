"""Open a file in the real silx view window, off-screen, and say what it shows.

Run as a script it is the window; imported, it has `silx_shows`, which runs that script in a
process of its own: Qt never enters the tests' process, and its standard error is looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIMIT = 300.0
"""Seconds that a window may take in all."""

NO_WINDOW = 77
"""Exit status of a process that has no Qt to open a window with."""


class SilxError(AssertionError):
    """The silx view shows no plot of the file."""


def silx_shows(path: str | Path, png: str | Path, h5path: str | None = None) -> str:
    """Return the name of the view that the silx window draws a file with.

    Parameters
    ----------
    path : path-like
        The file; its default plot is shown.
    png : path-like
        Where a picture of the window goes.
    h5path : str, optional
        Another group or dataset of the file to show.

    Returns
    -------
    str
        Such as ``Image``, ``Curve``, ``Scatter``, ``Raw``.

    Raises
    ------
    SilxError
        If nothing, an invalid plot or an empty plot is shown, or a traceback was printed: silx
        keeps the name of a view that raised.

    """
    import pytest

    for module in ("silx.gui", "PySide6"):
        if not _is_there(module):
            pytest.skip(f"{module} is not installed: pip install 'nxscan[gui]'")
    arguments = [str(path), str(png), *([h5path] if h5path else [])]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HDF5_USE_FILE_LOCKING": "FALSE"}
    window = subprocess.run(
        [sys.executable, __file__, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if window.returncode == NO_WINDOW:
        pytest.skip(f"Qt cannot be loaded here: {window.stderr.strip().splitlines()[-1]}")
    return _verdict(path, window)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _verdict(path: str | Path, window: subprocess.CompletedProcess[str]) -> str:
    if window.returncode or "Traceback" in window.stderr:
        raise SilxError(f"silx view of {path} failed ({window.returncode}):\n{window.stderr}")
    seen = json.loads(window.stdout.strip().splitlines()[-1])
    # silx names the view of a group without a plot "HDF5"
    if seen["view"] in ("", "HDF5") or "invalid" in (seen["class"] + seen["view"]).lower():
        raise SilxError(f"silx view shows no valid plot of {path}: {seen}")
    if seen["items"] == 0:
        raise SilxError(f"silx view shows an empty {seen['view']} of {path}")
    return str(seen["view"])


def _settle(app: Any, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        app.processEvents()
        time.sleep(0.01)


def _shown_view(viewer: Any) -> Any:
    """Return the innermost view, such as the curve within the NXdata view."""
    view = viewer.displayedView()
    while view is not None and getattr(view, "getCurrentView", None):
        inner = view.getCurrentView()
        if inner is None:
            break
        view = inner
    return view


def _items(viewer: Any) -> int | None:
    """Count what is drawn in the plots that are to be seen; None where there is no plot."""
    from silx.gui.plot import PlotWidget

    plots = [plot for plot in viewer.findChildren(PlotWidget) if plot.isVisible()]
    return sum(len(plot.getItems()) for plot in plots) if plots else None


def _is_drawn(viewer: Any) -> bool:
    return _shown_view(viewer) is not None and _items(viewer) != 0


def _open_window(path: str, png: str, h5path: str | None) -> dict[str, Any]:
    import tempfile

    import hdf5plugin  # noqa: F401
    import silx.io
    from silx.app.view.Viewer import Viewer
    from silx.gui import qt
    from silx.gui.data.DataViewer import DataViewer

    app = qt.QApplication.instance() or qt.QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = qt.QSettings(str(Path(folder) / "silx.ini"), qt.QSettings.Format.IniFormat)
        window = Viewer(parent=None, settings=settings)
        window.resize(1200, 800)
        window.appendFile(path)
        window.show()
        viewer = window.findChild(DataViewer)
        _settle(app, 60, lambda: viewer.data() is not None)
        if h5path:
            window.displayData(silx.io.open(path)[h5path])
        _settle(app, 30, lambda: _is_drawn(viewer))
        _settle(app, 0.5)
        view = _shown_view(viewer)
        name = view.label() if view is not None else ""
        seen = {"class": type(view).__name__, "view": name, "items": _items(viewer)}
        window.grab().save(png)
        window.close()
    return seen


def main(path: str, png: str, h5path: str | None = None) -> int:
    try:
        import PySide6.QtWidgets  # noqa: F401  (before silx, so that silx takes this one)
        import silx.gui.utils.matplotlib  # noqa: F401
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_WINDOW
    print(json.dumps(_open_window(path, png, h5path)), flush=True)
    return 0


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # Qt's own shutdown may crash, after all is said
