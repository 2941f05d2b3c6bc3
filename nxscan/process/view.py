"""A scan as a process sees it: read through its corrections, one pass whatever their number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.regions import bounds
from nxscan.model import Group, RawMetadata, Signal
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.frames import Frames
from nxscan.process.noise import Noise
from nxscan.process.partition import chunk_edges, inside, tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection


@dataclass(frozen=True, eq=False)
class View:
    """A scan's signal with the corrections that it is read through. It can be pickled.

    Attributes
    ----------
    signal : Signal
        What is stored.
    stored, layout : Layout
        What is stored, and what comes out of the corrections.
    chain : tuple of Bound
        The corrections, ready for this scan.
    bad : ndarray of bool, or None
        The scan's own pixel mask: True is bad.
    counters, readings : dict of str to ndarray
        Per-position values, in the scan's shape.

    """

    signal: Signal
    stored: Layout
    layout: Layout
    chain: tuple[Bound, ...]
    bad: NDArray[np.bool_] | None
    counters: Mapping[str, NDArray[Any]]
    readings: Mapping[str, NDArray[Any]]

    def read(
        self,
        region: Selection,
        *,
        variance: Noise | None = None,
        valid: bool = False,
        scratch: Scratch | None = None,
    ) -> Frames:
        """Return a region of the corrected scan.

        Corrections are applied a few positions at a time, while they are in the processor's
        cache.

        Parameters
        ----------
        region : tuple of slice
            Which part of what comes out.
        variance : Noise, optional
            The noise model, if variances are wanted.
        valid : bool
            Whether masks are wanted.
        scratch : Scratch, optional
            Memory for the stored values; what is returned may lie in it.

        """
        self.signal.will_read(self.signal.nbytes)
        scratch = scratch or Scratch()
        parts = list(self.parts(region)) if self.chain else [region]
        if len(parts) == 1:
            return self._read(region, variance, valid, scratch)
        return _joined((self._read(part, variance, valid, scratch) for part in parts), region)

    def source(self, region: Selection) -> Selection:
        """Return the region of what is stored that ``region`` of what comes out needs."""
        return self.sources(region)[-1]

    def empty(self, region: Selection, *, variance: bool, valid: bool, scratch: Scratch) -> Frames:
        """Return room for a region, which `read_into` fills part by part."""
        shape = tuple(part.stop - part.start for part in region)
        return Frames(
            data=scratch.array(shape, self.layout.dtype),
            region=region,
            scan_rank=self.layout.scan_rank,
            variance=np.empty(shape, np.float32) if variance else None,
            valid=self._room_for_valid(region, shape) if valid else None,
        )

    def _room_for_valid(
        self, region: Selection, shape: tuple[int, ...]
    ) -> NDArray[np.bool_] | None:
        """Return room for a mask of every value, or, where it is known, that of every frame."""
        if self.chain or self.layout.dtype.kind == "f":
            return np.ones(shape, bool)
        if self.bad is None:
            return None
        return np.broadcast_to(~self.bad[region[self.stored.scan_rank :]], shape)

    def read_into(
        self, region: Selection, frames: Frames, noise: Noise | None, scratch: Scratch
    ) -> None:
        """Read a region to its place in ``frames``; threads may do so side by side."""
        where = inside(region, frames.region)
        valid = frames.valid is not None and frames.valid.flags.writeable
        found = self.read(region, variance=noise, valid=valid, scratch=scratch)
        frames.data[where] = found.data
        if frames.variance is not None:
            frames.variance[where] = found.variance
        if valid and frames.valid is not None and found.valid is not None:
            frames.valid[where] = found.valid

    def sources(self, region: Selection) -> list[Selection]:
        """Return what comes out, what goes into the last correction, and so on to the first."""
        wanted = [region]
        for bound in reversed(self.chain):
            wanted.append(bound.source(wanted[-1]))
        return wanted

    def parts(self, region: Selection) -> Iterator[Selection]:
        """Cut a region along the scan, at chunk edges, into parts that stay in the cache."""
        rank = self.layout.scan_rank
        yield from tiles(region, self.layout.edges, list(range(rank)), self.bytes_per_value)

    def _read(
        self, region: Selection, variance: Noise | None, valid: bool, scratch: Scratch
    ) -> Frames:
        wanted = self.sources(region)
        raw = wanted[-1]
        shape = tuple(part.stop - part.start for part in raw)
        data = scratch.array(shape, self.signal.dtype)
        self.signal.read_into(raw, data)
        frames = Frames(
            data=data,
            region=raw,
            scan_rank=self.stored.scan_rank,
            variance=None if variance is None else variance.variance(data),
            valid=self._valid(raw, data) if valid else None,
        )
        for bound, part in zip(self.chain, wanted[-2::-1], strict=True):
            frames = bound.apply(frames, part)
        return _without_nan(frames) if valid else frames

    def _valid(self, region: Selection, data: NDArray[Any]) -> NDArray[np.bool_] | None:
        if self.bad is None:
            return None
        good = ~self.bad[region[self.stored.scan_rank :]]
        whole = np.broadcast_to(good, data.shape)
        return whole.copy() if self.chain else whole

    @property
    def bytes_per_value(self) -> int:
        """Bytes that one stored value takes on its way through the corrections."""
        corrected = self.layout.dtype.itemsize if self.chain else 0
        return self.signal.dtype.itemsize + 2 * corrected


class Scratch:
    """Memory that is used again and again: fresh memory costs as much as reading into it."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array that holds anything; it is good until the next one is asked for."""
        size = math.prod(shape) * dtype.itemsize
        if size > len(self._bytes):
            self._bytes = np.empty(size, np.uint8)
        return self._bytes[:size].view(dtype).reshape(shape)


def _joined(parts: Iterable[Frames], region: Selection) -> Frames:
    """Put parts of a region together."""
    shape = tuple(piece.stop - piece.start for piece in region)
    data: NDArray[Any] | None = None
    variance: NDArray[Any] | None = None
    valid: NDArray[np.bool_] | None = None
    rank = 0
    for part in parts:
        where, rank = inside(part.region, region), part.scan_rank
        if data is None:
            data = np.empty(shape, part.data.dtype)
            variance = None if part.variance is None else np.empty(shape, np.float32)
        data[where] = part.data
        if variance is not None:
            variance[where] = part.variance
        if part.valid is not None:
            valid = np.ones(shape, bool) if valid is None else valid
            valid[where] = part.valid
    return Frames(np.empty(shape) if data is None else data, region, rank, variance, valid)


def _without_nan(frames: Frames) -> Frames:
    if frames.data.dtype.kind != "f":
        return frames
    missing = np.isnan(frames.data)
    if not missing.any():
        return frames
    good = ~missing
    return replace(frames, valid=good if frames.valid is None else good & frames.valid)


def make_view(scan: Scan, corrections: Sequence[Correction]) -> View:
    """Bind corrections to a scan, each to what comes out of the one before."""
    rank, signal = len(scan.scan_shape), scan.signal
    stored = Layout(
        shape=signal.shape,
        dtype=signal.dtype,
        scan_rank=rank,
        axes=scan.axes,
        edges=chunk_edges(signal.shape, signal.chunks, rank),
        units=signal.units,
    )
    layout, chain = stored, []
    for correction in corrections:
        bound = correction.bind(scan, layout)
        chain.append(bound)
        layout = bound.after
    bad = None if scan.mask is None or scan.mask.shape != scan.frame_shape else scan.mask != 0
    return View(
        signal=signal,
        stored=stored,
        layout=layout,
        chain=tuple(chain),
        bad=bad if bad is not None and bad.any() else None,
        counters=_per_position(scan, "counters"),
        readings=_per_position(scan, "readings"),
    )


def seen(scan: Scan, view: View) -> Scan:
    """Return the scan as it looks through the corrections, for `Process.outputs`."""
    signals: dict[str, Signal] = {scan.detector: _Corrected(view, scan)}
    return replace(scan, signals=signals, axes=dict(view.layout.axes))


def _per_position(scan: Scan, kind: str) -> dict[str, NDArray[Any]]:
    shape = scan.scan_shape
    fields = {name: np.asarray(item.value) for name, item in getattr(scan, kind).items()}
    return {name: values for name, values in fields.items() if values.shape == shape}


class _Corrected(Signal):
    """The corrected frames as a signal; ``source`` is the scan as it was recorded."""

    def __init__(self, view: View, source: Scan) -> None:
        self._view = view
        self.source = source
        self.units = view.layout.units
        self.long_name = view.signal.long_name

    @property
    def corrected(self) -> bool:
        """Whether values come through corrections, so that their noise is not the detector's."""
        return bool(self._view.chain)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._view.layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._view.layout.dtype

    def read(self, selection: Any) -> NDArray[Any]:
        part = bounds(self.shape, selection)
        if part is None:
            raise IndexError(f"{selection!r} cannot be taken of a signal of shape {self.shape}")
        return np.asarray(self._view.read(part.region).data[part.index])


def without_metadata(scan: Scan) -> Scan:
    """Return the scan without what is read lazily from its file, so that it can be pickled."""
    return replace(scan, metadata=Group("NXentry"), raw_metadata=RawMetadata(), usid=None)
