"""A picture of the real silx view, taken off-screen; as a script it is the window itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_LIMIT = 300.0


def shoot(path: str | Path, png: str | Path, h5path: str = "", signal: str = "") -> str:
    """Take a picture of silx view showing a file; return "", or why there is none.

    A window that shows nothing, or a traceback on its way, is an error.

    Parameters
    ----------
    path : path-like
        The file; its default plot is shown.
    png : path-like
        Where the picture goes.
    h5path : str
        Another group of the file to show.
    signal : str
        What to choose in the box of signals.

    """
    if find_spec("PySide6") is None:
        return "PySide6 was not installed where these pages were built, so there is no picture."
    done = subprocess.run(  # noqa: S603  this very file
        [sys.executable, __file__, str(path), str(png), h5path, signal],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    if "libGL" in done.stderr or "libEGL" in done.stderr:
        return "Qt found no OpenGL where these pages were built, so there is no picture."
    if done.returncode or "Traceback" in done.stderr:
        raise RuntimeError(f"silx view of {path} failed ({done.returncode}):\n{done.stderr}")
    return ""


def _settle(app: Any, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        app.processEvents()
        time.sleep(0.01)
    return done()


def _drawn_items(viewer: Any) -> int:
    from silx.gui.plot import PlotWidget

    plots = [plot for plot in viewer.findChildren(PlotWidget) if plot.isVisible()]
    return sum(len(plot.getItems()) for plot in plots)


def _to_the_middle(viewer: Any) -> None:
    """Move the sliders of the scan's dimensions to the middle, where there is more to see."""
    from silx.gui import qt
    from silx.gui.widgets.FrameBrowser import HorizontalSliderWithBrowser

    for browser in viewer.findChildren(HorizontalSliderWithBrowser):
        if browser.isVisible():
            browser.setValue(browser.findChild(qt.QSlider).maximum() // 2)


def _choose(viewer: Any, signal: str) -> None:
    from silx.gui import qt

    boxes = [box for box in viewer.findChildren(qt.QComboBox) if box.findText(signal) >= 0]
    if not boxes:
        raise RuntimeError(f"silx view offers no signal {signal!r}")
    boxes[0].setCurrentIndex(boxes[0].findText(signal))


def _window(path: str, png: str, h5path: str, signal: str) -> None:
    import hdf5plugin  # noqa: F401  (the filter of the frames)
    import PySide6.QtWidgets  # noqa: F401  (before silx, so that silx takes this one)
    import silx.io
    from silx.app.view.Viewer import Viewer
    from silx.gui import qt
    from silx.gui.data.DataViewer import DataViewer
    from silx.gui.hdf5 import Hdf5TreeView

    app = qt.QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = qt.QSettings(str(Path(folder) / "silx.ini"), qt.QSettings.Format.IniFormat)
        window = Viewer(parent=None, settings=settings)
        window.resize(1280, 760)
        window.appendFile(path)
        window.show()
        viewer = window.findChild(DataViewer)
        if not _settle(app, 60, lambda: viewer.data() is not None):
            raise RuntimeError("silx view opened no plot")
        window.findChild(Hdf5TreeView).expandToDepth(1)
        if h5path:
            window.displayData(silx.io.open(path)[h5path])
        if not _settle(app, 60, lambda: _drawn_items(viewer) > 0):
            raise RuntimeError("silx view drew nothing")
        _to_the_middle(viewer)
        if signal:
            _choose(viewer, signal)
        _settle(app, 1.0)
        window.grab().save(png)


if __name__ == "__main__":
    _window(*sys.argv[1:])
    os._exit(0)  # Qt's own shutdown may crash, after all is said
