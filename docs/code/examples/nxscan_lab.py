"""Stacks of frames in NumPy files, with a table of motors beside them."""

import numpy as np

from nxscan.errors import SourceError
from nxscan.model import Axis, Field, Group, Provenance, Scan, Signal, Source
from nxscan.translate.axes import find_axes
from nxscan.translate.contract import ScanRef, Translator


class StackSignal(Signal):
    """Frames of a stack, in the order of the grid that was found."""

    units, long_name = "counts", "intensity"

    def __init__(self, path, order):
        self.path, self.order = path, order  # no open file: it can be pickled
        stack = np.load(path, mmap_mode="r")
        self._shape, self._dtype = order.shape + stack.shape[1:], stack.dtype

    @property
    def shape(self):
        return self._shape

    @property
    def dtype(self):
        return self._dtype

    def read(self, selection):
        given = selection if isinstance(selection, tuple) else (selection,)
        dots = given.index(...) if ... in given else len(given)
        rest = [part for part in given[dots:] if part is not ...]
        missing = [slice(None)] * (self.ndim - dots - len(rest))
        full, rank = (*given[:dots], *missing, *rest), self.order.ndim
        stack = np.load(self.path, mmap_mode="r")
        frames = stack[self.order[full[:rank]]]
        return np.array(frames[(..., *full[rank:])])


class LabTranslator(Translator):
    """Reads NAME.npy with NAME.csv."""

    name = "lab"
    description = "NumPy stacks of our lab: NAME.npy and NAME.csv"

    def can_open(self, path):
        with path.open("rb") as file:
            is_numpy = file.read(6) == b"\x93NUMPY"
        return is_numpy and path.with_suffix(".csv").exists()

    def scans(self, paths, mapping=None):
        found = [path for path in paths if path.suffix == ".npy"]
        return [self._ref(number, path) for number, path in enumerate(found, 1)]

    def _ref(self, number, path):
        stack = np.load(path, mmap_mode="r")
        return ScanRef(
            number=str(number),
            title=path.stem,
            frames=len(stack),
            shape=stack.shape[1:],
            dtype=str(stack.dtype),
            detectors=("camera",),
            size=path.stat().st_size,
            modified=path.stat().st_mtime,
            source=str(path),
            payload=path,
        )

    def open(self, ref, options, report):
        table = np.genfromtxt(ref.payload.with_suffix(".csv"), delimiter=",", names=True)
        if len(table) != ref.frames:
            raise SourceError(
                f"{ref.payload}: {ref.frames} frames, but {len(table)} lines in the table",
                "copy both files again",
            )
        motors = {name: table[name] for name in table.dtype.names if name != "monitor"}
        found = find_axes(motors, ref.frames, override=options.axes)
        report.axes = found
        report.problems.extend(found.problems)
        axes = {
            name: Axis(name, values, "degree", dimension=number)
            for number, dimension in enumerate(found.dimensions)
            for name, values in dimension.motors.items()
        }
        first = len(found.shape)
        for name, number in (("y", first), ("x", first + 1)):
            pixels = np.arange(ref.shape[number - first], dtype=float)
            axes[name] = Axis(name, pixels, "pixel", role="detector", dimension=number)
        order = found.order.reshape(found.shape)
        metadata = Group("NXentry")
        metadata.group("instrument", "NXinstrument").set("name", Field("our lab"))
        return Scan(
            title=ref.title,
            signals={"camera": StackSignal(ref.payload, order)},
            axes=axes,
            counters={
                "frame_number": Field(order, ""),
                "monitor": Field(table["monitor"][order], "counts"),
            },
            metadata=metadata,
            provenance=Provenance(
                translator="lab",
                sources=[Source(ref.source, ref.size, ref.modified, ref.frames)],
            ),
        )
