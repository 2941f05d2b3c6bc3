"""The drawings of how an analysis runs: what happens in order, and how a scan is cut."""

from __future__ import annotations

from typing import Any

from nxdocs.pictures import BLUE, BROWN, GRAY, GREEN, arrow, box, canvas, text


def draw_run() -> Any:
    """Draw a run from the frames in the file to the result in it."""
    figure, ax = canvas(11, 4.5)
    _draw_frames(ax)
    _draw_workers(ax)
    _draw_journal(ax)
    _draw_commit(ax)
    return figure


def _draw_frames(ax: Any) -> None:
    text(ax, 1.25, 0.25, "the frames, cut into blocks", weight="bold")
    columns, rows = 4, 4
    for k in range(columns * rows):
        x, y = 0.25 + 0.5 * (k % columns), 0.5 + 0.5 * (k // columns)
        color = GREEN if k < 9 else BLUE if k < 11 else GRAY
        box(ax, x, y, 0.44, 0.44, color)
    text(ax, 1.25, 2.75, "opened for reading only", size=9, color=GRAY)
    for row, (name, color) in enumerate(
        [("on the disk", GREEN), ("being computed", BLUE), ("to come", GRAY)]
    ):
        box(ax, 0.35, 3.13 + 0.32 * row, 0.2, 0.2, color)
        text(ax, 0.68, 3.23 + 0.32 * row, name, size=9, ha="left")


def _draw_workers(ax: Any) -> None:
    arrow(ax, (2.4, 1.5), (3.15, 1.5))
    text(ax, 4.3, 0.25, "workers, side by side", weight="bold")
    for row in range(2):
        y = 0.55 + 1.12 * row
        box(ax, 3.2, y, 2.2, 0.92, BLUE)
        for line, words in enumerate(("read and decompress", "corrections", "compute(block)")):
            text(ax, 4.3, y + 0.2 + 0.26 * line, words, size=9, color=BLUE)
    text(ax, 4.3, 2.95, "as many at once as the\nmemory limit allows", size=9, color=GRAY)


def _draw_journal(ax: Any) -> None:
    arrow(ax, (5.5, 1.5), (6.1, 1.5))
    text(ax, 7.0, 0.25, "the journal", weight="bold")
    box(ax, 6.15, 0.5, 1.7, 2.15, GREEN)
    for row in range(6):
        text(ax, 7.0, 0.72 + 0.3 * row, f"block {row}" if row < 5 else "…", size=9, color=GREEN)
    words = "a hidden folder beside\nthe scan: one file a block,\nwritten, synced, renamed"
    text(ax, 7.0, 3.03, words, size=9, color=GRAY)
    text(ax, 7.0, 3.62, "stopped? the same command\ngoes on from here", size=9, color=BROWN)


def _draw_commit(ax: Any) -> None:
    arrow(ax, (7.95, 1.5), (8.5, 1.5))
    text(ax, 9.75, 0.25, "the result in the file", weight="bold")
    steps = [
        "lock (for this step only)",
        "copy scan.nxs",
        "add the result",
        "validate",
        "sync, then rename",
    ]
    for row, step in enumerate(steps):
        y = 0.5 + 0.43 * row
        box(ax, 8.55, y, 2.3, 0.36, BROWN)
        text(ax, 9.7, y + 0.18, step, size=9, color=BROWN)
    words = "who has it open keeps\nthe old one; a kill leaves\nthe old or the new"
    text(ax, 9.7, 3.03, words, size=9, color=GRAY)


def draw_cuts() -> Any:
    """Draw how the same scan is cut for results per pixel, per position, and for reductions."""
    figure, ax = canvas(11, 3.0)
    kinds = [
        (0.4, 'per = "pixel"', "all positions, a tile of the detector", (0, 1)),
        (4.1, 'per = "position"', "some positions, whole frames", (1, 0)),
        (7.8, "with merge: a reduction", "cut along the scan as well", (1, 1)),
    ]
    for x, name, what, cut in kinds:
        text(ax, x + 1.3, 0.25, name, size=10, family="monospace", weight="bold")
        _draw_stack(ax, x, 0.55, cut)
        text(ax, x + 1.3, 2.75, what, size=9, color=GRAY)
    return figure


def _draw_stack(ax: Any, x: float, y: float, cut: tuple[int, int]) -> None:
    """Draw frames one behind the other; a block of them is in color."""
    along_scan, along_rows = cut
    for k in range(5, -1, -1):
        left, top = x + 0.22 * k, y + 0.4 - 0.08 * k
        marked = k < 3 if along_scan else True
        ax.fill_between([left, left + 1.4], top, top + 1.4, color="white", zorder=10 - k)
        sides = [left, left + 1.4, left + 1.4, left, left]
        ax.plot(sides, [top, top, top + 1.4, top + 1.4, top], color=GRAY, lw=1, zorder=10 - k)
        if marked:
            height = 0.47 if along_rows else 1.4
            ax.fill_between(
                [left, left + 1.4], top, top + height, color=BLUE, alpha=0.35, zorder=10 - k, lw=0
            )
    text(ax, x + 2.0, y + 1.78, "scan →", size=8.5, color=GRAY, ha="left")
