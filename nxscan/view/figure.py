"""A figure of no backend that a notebook shows as a picture."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib figure that opens no window, and that Jupyter shows without pyplot."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG: what Jupyter asks for."""
        stream = io.BytesIO()
        self.savefig(stream, format="png")
        return stream.getvalue()
