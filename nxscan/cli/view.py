"""``nxscan view``: a file in the silx view."""

import typer

from nxscan.cli import options

_BINDINGS = ("PySide6", "PyQt6", "PyQt5")


def view(file: options.File) -> None:
    """Open a file in the silx view.

    Waits until the window is closed. Needs the extra gui.
    """
    import subprocess
    import sys

    _need_window_toolkit()
    if not file.exists():
        raise FileNotFoundError(2, "no such file", str(file))
    command = [sys.executable, "-m", "silx", "view", str(file)]
    if subprocess.run(command, check=False).returncode:  # noqa: S603  our own interpreter
        raise typer.Exit(1)


def _need_window_toolkit() -> None:
    from importlib.util import find_spec

    from nxscan.errors import MissingExtraError

    if not any(find_spec(name) for name in _BINDINGS):
        raise MissingExtraError("the silx view", "gui")
