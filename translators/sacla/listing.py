"""What a list of runs needs to know of each: names are read, no image is opened but one."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.contract import ScanRef
from nxscan.translate.h5source import open_source
from nxscan.translate.mapping_values import find_zone, time_from_epoch
from nxscan.translate.report import Report
from nxscan.translators.sacla.choosing import choose
from nxscan.translators.sacla.events import TAGS, read_tags
from nxscan.translators.sacla.groups import STACKED, detector_names, group_of
from nxscan.translators.sacla.panels import IMAGE, shots_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.sacla.groups import Run

    Tags = NDArray[np.int64]


def scan_ref(run: Run) -> ScanRef:
    """Return a run as lists show it."""
    with open_source(run.path) as file:
        group = group_of(file, run)
        cheetah = run.flavor == "cheetah"
        every = {STACKED: ""} if cheetah else dict.fromkeys(detector_names(group), "")
        names = choose(every, None, Report())
        shots = {name: shots_of(group if cheetah else group[name]) for name in names}
        listed = None if cheetah else _listed(group)
        tags = [np.array([tag for tag, _ in one], np.int64) for one in shots.values()]
        common = reduce(np.intersect1d, [*tags, *([] if listed is None else [listed])] or [_NONE])
        image = _first_image(group, shots, run)
        shape, dtype = ((), "") if image is None else (image.shape, str(image.dtype))
        said = _text(group.get("exp_info/comment"))
        started = _started(group)
    return ScanRef(
        number=str(run.number or 1),
        title=run.title,
        frames=len(common),
        shape=shape,
        dtype=dtype,
        detectors=tuple(every),
        command=said,
        declared=None if listed is None else len(listed),
        size=run.size,
        modified=run.modified,
        started=started,
        source=f"{run.path}{'' if cheetah else f'::{run.name}'}",
        payload=(run,),
    )


_NONE = np.zeros(0, np.int64)


def _listed(group: Any) -> Tags | None:
    node = group.get(f"event_info/{TAGS}")
    if not isinstance(node, h5py.Dataset):
        return None
    try:
        return np.unique(read_tags(node))
    except SourceError:
        return None  # the translation says it


def _first_image(group: Any, shots: dict[str, list[tuple[int, bytes]]], run: Run) -> Any:
    for name, found in shots.items():
        for _, place in found[:1]:
            below = "" if run.flavor == "cheetah" else f"{name}/"
            node = group.get(f"{below}{place.decode()}/{IMAGE[run.flavor].decode()}")
            if isinstance(node, h5py.Dataset):
                return node
    return None


def _text(node: Any) -> str:
    if not isinstance(node, h5py.Dataset) or node.shape not in ((), (1,)):
        return ""
    found = np.ravel(node[()])[0]
    return (found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)).strip()


def _started(group: Any) -> str:
    """Return when the first shot was, in Japan's time; empty where the file does not say."""
    node = group.get("event_info/time_stamp")
    if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "iuf" or not node.size:
        return ""
    times = np.asarray(node[()], np.float64)
    first = float(np.min(times[np.isfinite(times)], initial=np.inf))
    try:
        return time_from_epoch(repr(first), find_zone("+09:00"))
    except ValueError:
        return ""
