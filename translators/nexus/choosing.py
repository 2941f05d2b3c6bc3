"""Which plot of a NeXus entry is taken: the default one, or what the user asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.translators.nexus.columns import address, recorded
from nxscan.translators.nexus.plots import Plot, dataset_plot

if TYPE_CHECKING:
    from nxscan.translators.nexus.entry import Entry

_MOST_SHOWN = 12


def choose_plot(entry: Entry, plots: Sequence[Plot]) -> Plot | None:
    """Return the plot that is taken; None where the report says why there is none.

    It is the one that ``--detector`` names, by its own name, its signal's or a counter's; else the
    default one, or another where its values are not there and ``entry.fallback`` allows it.
    """
    wanted = entry.options.detector
    if wanted is not None:
        return _by_name(entry, plots, wanted)
    if not plots:
        entry.report.error(
            entry.group.name,
            "this entry has no NXdata with a signal",
            "describe its data in a mapping: nxscan inspect FILE --new-mapping mine.toml",
        )
        return None
    first = plots[0]
    if first.problem is None:
        return first
    others = [plot for plot in plots[1:] if plot.problem is None]
    others = others or (_counted(entry, first) if entry.fallback else [])
    if entry.fallback and others:
        entry.report.warning(
            f"detector {first.name}",
            first.problem.message,
            f"{others[0].name} is taken in its place; --detector chooses",
        )
        return others[0]
    hint = f"choose another with --detector: {_names(others)}" if others else first.problem.hint
    entry.report.error(f"detector {first.name}", first.problem.message, hint)
    return None


def _by_name(entry: Entry, plots: Sequence[Plot], wanted: str) -> Plot | None:
    chosen = [plot for plot in plots if wanted in (plot.name, plot.key)]
    chosen = chosen or [plot for plot in _counted(entry, *plots[:1]) if plot.name == wanted]
    if not chosen:
        known = [*plots, *_counted(entry, *plots[:1])]
        entry.report.error(
            "--detector", f"{entry.group.name} has no {wanted!r}", f"there are: {_names(known)}"
        )
        return None
    if chosen[0].problem is not None:
        problem = chosen[0].problem
        entry.report.error(f"detector {wanted}", problem.message, problem.hint)
        return None
    return chosen[0]


def _names(plots: Sequence[Plot]) -> str:
    names = [plot.name for plot in plots]
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more


def _counted(entry: Entry, like: Plot | None = None) -> list[Plot]:
    """Return what was counted at every position as plots over the axes of another one."""
    shape = entry.scan_shape
    if shape is None and like is not None and like.signal is not None:
        shape = like.signal.shape[: like.signal.ndim - like.frame_rank()]
    if shape is None or like is None:
        return []
    found = [one for one in recorded(entry.group, like, shape) if one.values.dtype.kind == "f"]
    places = {address(node): node for node in _datasets(entry.group, shape)}
    ordered = sorted(found, key=lambda one: (one.motor, not one.detector))
    return [dataset_plot(one.name, places[one.address], like) for one in ordered]


def _datasets(group: Any, shape: tuple[int, ...]) -> list[Any]:
    found: list[Any] = []

    def visit(_: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and node.shape == shape:
            found.append(node)

    group.visititems(visit)
    return found
