"""A silx view window that has a file open while something else happens to the file.

Run as a script: it opens the file, says so, waits for a line on its input, goes on looking at
the file, and says what it shows and what it reads.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path


def main(path: str, png: str) -> int:
    from silx_window import NO_WINDOW, _is_drawn, _items, _settle, _shown_view

    try:
        import PySide6.QtWidgets  # noqa: F401
        import silx.gui.utils.matplotlib
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_WINDOW
    import hdf5plugin  # noqa: F401
    import silx.io
    from silx.app.view.Viewer import Viewer
    from silx.gui import qt
    from silx.gui.data.DataViewer import DataViewer

    app = qt.QApplication.instance() or qt.QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = qt.QSettings(str(Path(folder) / "silx.ini"), qt.QSettings.Format.IniFormat)
        window = Viewer(parent=None, settings=settings)
        window.appendFile(path)
        window.show()
        viewer = window.findChild(DataViewer)
        _settle(app, 60, lambda: viewer.data() is not None and _is_drawn(viewer))
        opened = silx.io.open(path)
        before = opened["/entry/data/data"][()].tolist()
        print("open", flush=True)
        sys.stdin.readline()
        after = opened["/entry/data/data"][()].tolist()
        window.displayData(opened["/entry/data"])
        _settle(app, 30, lambda: _is_drawn(viewer))
        _settle(app, 0.5)
        seen = {"view": _shown_view(viewer).label(), "items": _items(viewer)}
        has_result = "moments" in opened["/entry"]
        window.grab().save(png)
        window.close()
    print(json.dumps({**seen, "same": before == after, "new": has_result}), flush=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    os._exit(main(*sys.argv[1:]))
