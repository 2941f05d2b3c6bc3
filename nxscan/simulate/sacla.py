"""Simulated SACLA runs: what happened, which tags have an image, and what event_info lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.mpccd import ASSEMBLED, Mpccd
from nxscan.simulate.sacla_events import event_columns
from nxscan.simulate.sacla_shots import ShotPlan, Shots, make_shots
from nxscan.simulate.sacla_truth import SaclaRun, SaclaTruth
from nxscan.simulate.speckle import Speckle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tags = NDArray[np.int64]
    Images = dict[str, Tags]
    Written = Literal["panels", "assembled", "both"]

STEP = 2
"""From one shot's tag to the next at 30 Hz."""

_BETWEEN_RUNS = 1000


def sacla_run(
    *,
    tags: int | Sequence[int] = 60,
    first: int = 219_817_020,
    runs: Sequence[int] = (206178,),
    padded: bool = False,
    detector: Mpccd | None = None,
    written: Written = "panels",
    speckle: Speckle | None = None,
    plan: ShotPlan | None = None,
    missing: Mapping[str, Sequence[int]] | None = None,
    listed: Sequence[int] | None = None,
    cancelled: int | None = None,
    cameras: bool = True,
    pool: int = 0,
    seed: int = 0,
) -> SaclaTruth:
    """Make runs of SACLA: gold-like powder rings whose angular correlation is known.

    The image of a tag is that of the mean photon energy; what event_info says of each shot's
    energy scatters around it. Laser-on shots have rings brighter by ``speckle.pump``, shots with
    the shutter closed are dark. Random numbers of an image are those of the seed and the tag alone.

    Parameters
    ----------
    tags : int or sequence of int
        How many shots each run has, or the tags of a single run's shots.
    first : int
        First tag; others follow in steps of two.
    runs : sequence of int
        Numbers of the runs.
    padded : bool
        Write ``run_%06d`` instead of ``run_%d``.
    detector : Mpccd, optional
        Geometry, gain and noise.
    written : {"panels", "assembled", "both"}
        Which images the file has.
    speckle : Speckle, optional
        What the rings are like.
    plan : ShotPlan, optional
        Laser, shutter, pulse energies and scan.
    missing : mapping of str to sequence of int, optional
        For each detector (``detector_2d_1`` …) the tags that have no image there.
    listed : sequence of int, optional
        ``tag_number_list`` of a single run, in this order: tags may be left out or repeated.
        By default every shot once.
    cancelled : int, optional
        Each run was cancelled after so many shots: they are all listed, but later ones have no
        image, and the last one before has images on the first half of the detectors alone.
    cameras : bool
        Write the beamline's cameras into event_info, 231 columns.
    pool : int
        So many images, for each state of laser and shutter, are made and then used again with
        the shot's pulse energy as a factor: long runs are quick to write. 0 makes each anew.
    seed : int
        Where random numbers come from.

    Returns
    -------
    SaclaTruth
        Everything about the runs; :func:`write_sacla` writes the file.

    Raises
    ------
    NxscanError
        If tags repeat, or ``missing`` or ``listed`` name what is not there.

    Examples
    --------
    >>> truth = sacla_run(tags=20, detector=Mpccd(shape=(64, 64)), seed=1)
    >>> truth.run.shots.tags[:3].tolist(), truth.run.end_tag
    ([219817020, 219817022, 219817024], 219817060)
    >>> truth.frame("detector_2d_1", 219817022).shape
    (64, 64)

    """
    detector, speckle, plan = detector or Mpccd(), speckle or Speckle(), plan or ShotPlan()
    names = _names(detector, written)
    _refuse_unknown(missing or {}, names)
    if len(runs) != 1 and (listed is not None or not isinstance(tags, int)):
        raise NxscanError("tags or listed name the shots of one run", "give one run")
    made = []
    for number, happened in zip(runs, _tags(tags, first, len(runs)), strict=True):
        shots = make_shots(
            happened,
            plan,
            energy=detector.energy,
            particles=speckle.particles,
            pool=pool,
            seed=seed,
        )
        columns = event_columns(shots, lost=plan.lost, cameras=cameras, seed=seed)
        images = _images(happened, names, missing or {}, cancelled)
        group = f"run_{number:06d}" if padded else f"run_{number}"
        made.append(_run(number, group, shots, _rows(shots, listed), columns, images))
    return SaclaTruth(detector, speckle, names, tuple(made), pool, seed)


def _run(
    number: int,
    group: str,
    shots: Shots,
    rows: NDArray[np.intp],
    columns: Mapping[str, NDArray[Any]],
    images: Images,
) -> SaclaRun:
    """Return a run whose event_info has these rows of the shots' columns."""
    return SaclaRun(
        number=number,
        group=group,
        end_tag=int(shots.tags[-1]) + STEP,
        shots=shots,
        listed=shots.tags[rows],
        events={path: values[rows] for path, values in columns.items()},
        images=images,
    )


def _names(detector: Mpccd, written: Written) -> tuple[str, ...]:
    if written == "assembled":
        return (ASSEMBLED,)
    return detector.names if written == "panels" else (*detector.names, ASSEMBLED)


def _tags(tags: int | Sequence[int], first: int, runs: int) -> list[Tags]:
    """Return the tags of every run."""
    if isinstance(tags, int):
        if tags < 1:
            raise NxscanError(f"a run needs a shot at least, not {tags}")
        one = first + STEP * np.arange(tags, dtype=np.int64)
        return [one + k * (STEP * tags + _BETWEEN_RUNS) for k in range(runs)]
    given = np.array(tags, np.int64)
    if not len(given) or np.any(np.diff(given) <= 0):
        raise NxscanError("tags must be ascending, and at least one", "list repeated rows instead")
    return [given]


def _refuse_unknown(missing: Mapping[str, Sequence[int]], names: Sequence[str]) -> None:
    unknown = [name for name in missing if name not in names]
    if unknown:
        raise NxscanError(f"no detector {unknown[0]} to miss tags", f"there is {', '.join(names)}")


def _rows(shots: Shots, listed: Sequence[int] | None) -> NDArray[np.intp]:
    """Return which shot each row of event_info is about."""
    if listed is None:
        return np.arange(len(shots.tags))
    wanted = np.array(listed, np.int64)
    rows = np.clip(np.searchsorted(shots.tags, wanted), 0, len(shots.tags) - 1)
    stray = wanted[shots.tags[rows] != wanted]
    if len(stray):
        raise NxscanError(f"listed tag {stray[0]} is no shot of the run")
    return rows


def _images(
    tags: Tags, names: Sequence[str], missing: Mapping[str, Sequence[int]], cancelled: int | None
) -> Images:
    images = {}
    for place, name in enumerate(names):
        whole = place < (len(names) + 1) // 2
        stop = None if cancelled is None else max(0, cancelled - (not whole))
        images[name] = np.setdiff1d(tags[:stop], np.array(missing.get(name, ()), np.int64))
    return images
