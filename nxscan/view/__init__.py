"""Look at files: the default plot, one pixel's curve, and what a file holds in a person's words."""

from __future__ import annotations

from nxscan.view.draw import plot
from nxscan.view.summary import info

__all__ = ["info", "plot"]
