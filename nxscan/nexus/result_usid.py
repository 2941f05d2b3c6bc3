"""Results as USID has them: a results group with a Main dataset for each output.

``/Measurement_000/Channel_000/Raw_Data_Moments_000`` stands beside the dataset that the
process worked on, refers to it, and is found by ``pyUSID.hdf_utils.find_results_groups``,
which asks for both names in it. (USID itself would write ``Raw_Data-Moments_000``, but punx
takes a dash for an error wherever it stands.) Nothing is stored twice: Main datasets are
virtual datasets over those of the NXprocess, and ancillary datasets are shared with the source
wherever they are the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.nexus import layout
from nxscan.nexus.groups import known
from nxscan.nexus.usid import ancillaries, row_blocks, stamp

if TYPE_CHECKING:
    from nxscan.model import Axis
    from nxscan.nexus.results import NewResult, OutputSpec

    Shape = tuple[int, ...]

_MOST_MAPPINGS = 4_000
_MOST_BLOCKS = 512
"""Few: a result has many maps, and each commit makes and checks the blocks of all."""
_LONGEST = 4096
_PARTS = ("Indices", "Values")


def write_usid_results(file: Any, group: str, new: NewResult) -> None:
    """Write the results group of a result that is in the file.

    Parameters
    ----------
    file : h5py.File
        The master.
    group : str
        Name of the result's NXprocess in the entry.
    new : NewResult
        What it is.

    """
    source = _source(file, new.signal_path)
    if source is None:
        return
    tool = "_".join(part.capitalize() for part in new.process.split("_"))
    home = source.parent.create_group(_free_name(source, tool))
    stamp(home)
    home.attrs["tool"] = tool
    home.attrs["num_source_dsets"] = 1
    home.attrs["source_000"] = source.ref
    home.attrs["nexus_result"] = f"/{layout.ENTRY}/{group}"
    for name, value in new.parameters.items():
        if name not in home.attrs and _fits_attribute(value):
            home.attrs[name] = value
    scan = _ScanAxes.of(file)
    for output in new.outputs:
        _write_main(home, source, scan, output, f"/{layout.ENTRY}/{group}/{output.name}")


def _fits_attribute(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float) or (isinstance(value, str) and len(value) < _LONGEST)


def _source(file: Any, signal_path: str) -> Any:
    """Return the Main dataset that was worked on: the frames, or an output of a result."""
    if layout.USID_MAIN not in file:
        return None
    raw = file[layout.USID_MAIN]
    result, _, rest = signal_path.rpartition("/data")[0].rpartition("/")
    for name in raw.parent:
        home = raw.parent.get(name)
        if isinstance(home, h5py.Group) and home.attrs.get("nexus_result") == result:
            return home.get(rest, raw)
    return raw


def _free_name(source: Any, tool: str) -> str:
    stem, count = f"{source.name.rpartition('/')[2]}_{tool}", 0
    while f"{stem}_{count:03d}" in source.parent:
        count += 1
    return f"{stem}_{count:03d}"


@dataclass(frozen=True)
class _ScanAxes:
    """The axes that the plot of the scan shows: those of the scan, and those of the detector."""

    positions: list[Any]
    pixels: list[Any]

    @classmethod
    def of(cls, file: Any) -> _ScanAxes:
        plot, rank = file[layout.DATA], int(file[f"{layout.PARAMETERS}/scan_rank"][()])
        fields = [plot[name] for name in plot.attrs["axes"]]
        return cls(fields[:rank], fields[rank:])


@dataclass(frozen=True)
class _Split:
    """How the dimensions of an output become positions and spectroscopic values.

    Attributes
    ----------
    before, positions, after : tuple of int
        Lengths of its dimensions before those of the scan, of those, and of the others.

    """

    before: Shape
    positions: Shape
    after: Shape

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the Main dataset."""
        return math.prod(self.positions), math.prod(self.before) * math.prod(self.after)


def _write_main(home: Any, source: Any, scan: _ScanAxes, output: OutputSpec, place: str) -> None:
    plot = home.file[place]
    fields = [plot[axis.name] for axis in output.axes]
    of_scan = [k for k, field in enumerate(fields) if any(field == axis for axis in scan.positions)]
    start, stop = (of_scan[0], of_scan[-1] + 1) if of_scan else (0, 0)
    split = _Split(output.shape[:start], output.shape[start:stop], output.shape[stop:])
    positions = list(output.axes[start:stop])
    others = [*output.axes[:start], *output.axes[stop:]]
    main = _create_virtual(home, output.name, split, plot["data"])
    stamp(main)
    main.attrs["quantity"] = output.long_name or output.name
    main.attrs["units"] = known(output.units)
    other_fields = [*fields[:start], *fields[stop:]]
    _refer(main, source, "Position", positions, shared=fields[start:stop] == scan.positions)
    _refer(main, source, "Spectroscopic", others, shared=other_fields == scan.pixels)


def _refer(main: Any, source: Any, kind: str, axes: list[Axis], *, shared: bool) -> None:
    """Refer to ancillary datasets: the source's where they fit, else new ones."""
    along = 0 if kind == "Position" else 1
    if shared and main.shape[along] == source.shape[along]:
        for part in _PARTS:
            main.attrs[f"{kind}_{part}"] = source.attrs[f"{kind}_{part}"]
        return
    group = main.parent.require_group(f"{main.name.rpartition('/')[2]}_dimensions")
    for part, dataset in ancillaries(group, kind, axes, transposed=along == 1):
        main.attrs[f"{kind}_{part}"] = dataset.ref


def _create_virtual(home: Any, name: str, split: _Split, stored: Any) -> Any:
    """Map an array to positions × spectroscopic by a few rows, which HDF5 reads fast."""
    target = h5py.h5s.create_simple(split.shape)
    shape = stored.shape
    source = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for where, column, width in _rows(split):
        target.select_hyperslab((0, column), (split.shape[0], width))
        if shape:
            first, extent = zip(*where, strict=True)
            source.select_hyperslab(tuple(first), tuple(extent))
        properties.set_virtual(target, b".", stored.name.encode(), source)
    target.select_all()
    kind = h5py.h5t.py_create(stored.dtype, logical=True)
    return h5py.Dataset(h5py.h5d.create(home.id, name.encode(), kind, target, properties))


def _rows(split: _Split) -> Iterator[tuple[list[tuple[int, int]], int, int]]:
    """Yield first index and extent along each dimension, the column, and how many columns."""
    slow = split.after[:-1]
    if math.prod(split.before) * len(row_blocks(slow, _MOST_BLOCKS)) > _MOST_MAPPINGS:
        slow = ()
    fast = split.after[len(slow) :]
    whole, positions = [(0, n) for n in fast], [(0, n) for n in split.positions]
    column = 0
    for index in itertools.product(*(range(n) for n in split.before)):
        before = [(k, 1) for k in index]
        for first, extent in row_blocks(slow, _MOST_BLOCKS):
            row = list(zip(first, extent, strict=True))
            width = math.prod(extent) * math.prod(fast)
            yield [*before, *positions, *row, *whole], column, width
            column += width
