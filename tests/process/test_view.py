"""A scan read through its corrections."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan.process import Bound, Correction, Layout, Noise, ProcessParameters, partition
from nxscan.process.view import make_view, seen


class Shift(Correction):
    """Adds a number."""

    class Parameters(ProcessParameters):
        by: float = 1.0

    def bind(self, scan, layout):
        return BoundShift(layout, self.parameters.by)


@dataclass(frozen=True, eq=False)
class BoundShift(Bound):
    by: float

    @property
    def after(self):
        return replace(self.before, dtype=np.dtype(np.float32))

    def apply(self, frames, region):
        return replace(frames, data=frames.data.astype(np.float32) + self.by)


class Smooth(Correction):
    """Sum of a pixel and its two neighbours along x, where there are any."""

    def bind(self, scan, layout):
        return BoundSmooth(layout)


class BoundSmooth(Bound):
    def source(self, region):
        last, n = region[-1], self.before.shape[-1]
        return (*region[:-1], slice(max(last.start - 1, 0), min(last.stop + 1, n)))

    def apply(self, frames, region):
        padded = np.pad(frames.data, [(0, 0)] * (frames.data.ndim - 1) + [(1, 1)])
        total = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
        begin = region[-1].start - frames.region[-1].start
        width = region[-1].stop - region[-1].start
        part = (..., slice(begin, begin + width))
        return replace(
            frames,
            data=total[part],
            region=region,
            valid=None if frames.valid is None else frames.valid[part],
            variance=None if frames.variance is None else frames.variance[part],
        )


class Crop(Correction):
    """Leaves the first two rows out."""

    def bind(self, scan, layout):
        return BoundCrop(layout)


class BoundCrop(Bound):
    @property
    def after(self):
        shape, axes = list(self.before.shape), dict(self.before.axes)
        shape[-2] -= 2
        axes["y"] = replace(axes["y"], values=axes["y"].values[2:])
        edges = (*self.before.edges[:-2], np.array([0, shape[-2]]), self.before.edges[-1])
        return Layout(
            tuple(shape), self.before.dtype, self.before.scan_rank, axes, edges, self.before.units
        )

    def source(self, region):
        rows = region[-2]
        return (*region[:-2], slice(rows.start + 2, rows.stop + 2), region[-1])

    def apply(self, frames, region):
        return replace(frames, region=region)


REGION = (slice(1, 3), slice(0, 4), slice(1, 4), slice(2, 5))


def test_without_corrections_the_stored_values_come():
    scan, data = make_scan()
    frames = make_view(scan, []).read(REGION)
    np.testing.assert_array_equal(frames.data, data[REGION])
    assert frames.data.dtype == data.dtype


def test_corrections_are_applied_in_the_order_given():
    scan, data = make_scan()
    first = make_view(scan, [Shift(by=1), Smooth()]).read(REGION).data
    then = make_view(scan, [Smooth(), Shift(by=1)]).read(REGION).data
    padded = np.pad(data.astype(float), [(0, 0)] * 3 + [(1, 1)])
    smooth = padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]
    np.testing.assert_allclose(then, smooth[REGION] + 1)
    shifted = np.pad(data + 1.0, [(0, 0)] * 3 + [(1, 1)])
    again = shifted[..., :-2] + shifted[..., 1:-1] + shifted[..., 2:]
    np.testing.assert_allclose(first, again[REGION])


def test_a_correction_that_changes_the_shape_is_seen_by_the_process():
    scan, data = make_scan()
    view = make_view(scan, [Crop(), Shift(by=0)])
    visible = seen(scan, view)
    assert visible.signal.shape == (3, 4, 4, 5)
    assert visible.signal.dtype == np.float32
    np.testing.assert_array_equal(visible.axes["y"].values, scan.axes["y"].values[2:])
    np.testing.assert_array_equal(visible.signal[1, :, 0], data[1, :, 2])
    np.testing.assert_array_equal(visible.signal[..., ::2], data[:, :, 2:, ::2])


def test_what_a_process_sees_ends_where_an_array_does():
    scan, data = make_scan()
    signal = seen(scan, make_view(scan, [Shift(by=0)])).signal
    np.testing.assert_array_equal([*signal], data)
    np.testing.assert_array_equal(signal[-1, 2:9], data[-1, 2:9])
    with pytest.raises(IndexError, match=r"99 .*\(3, 4, 6, 5\)"):
        signal[99]


def test_the_pixel_mask_comes_when_it_is_wanted():
    scan, _ = make_scan()
    scan.mask = np.zeros((6, 5), np.uint32)
    scan.mask[2, 3] = 1
    view = make_view(scan, [])
    assert view.read(REGION).valid is None
    valid = view.read(REGION, valid=True).valid
    assert valid is not None
    assert valid.shape == (2, 4, 3, 3)
    assert np.argwhere(~valid[0, 0]).tolist() == [[1, 1]]


def test_what_is_not_a_number_is_not_valid():
    scan, data = make_scan(dtype="f4")
    data[1, 2, 3, 4] = np.nan
    valid = make_view(scan, []).read(REGION, valid=True).valid
    assert valid is not None
    assert np.argwhere(~valid).tolist() == [[0, 2, 2, 2]]


def test_variances_come_from_the_noise_model():
    scan, data = make_scan()
    noise = Noise("camera", offset=5, gain=2, read_noise=3)
    found = make_view(scan, []).read(REGION, variance=noise).variance
    expected = np.maximum(data[REGION] - 5.0, 0) / 2 + 9
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_view_survives_pickling():
    scan, data = make_scan()
    view = pickle.loads(pickle.dumps(make_view(scan, [Shift(by=2)])))
    np.testing.assert_allclose(view.read(REGION).data, data[REGION] + 2)


def test_only_values_of_every_position_are_counters():
    scan, _ = make_scan()
    view = make_view(scan, [])
    assert set(view.counters) == {"mon", "frame_number"}
    assert view.counters["mon"].shape == (3, 4)


def test_a_large_region_is_the_same_as_its_parts(monkeypatch):
    scan, data = make_scan(dtype="f4")
    data[1, 2, 3, 4] = np.nan
    scan.mask = np.zeros((6, 5), np.uint32)
    scan.mask[2, 3] = 1
    view = make_view(scan, [Smooth(), Shift(by=1)])
    whole = view.read(REGION, variance=Noise(), valid=True)
    monkeypatch.setattr(partition, "PIECE_BYTES", 100)
    parts = view.read(REGION, variance=Noise(), valid=True)
    np.testing.assert_array_equal(whole.data, parts.data)
    np.testing.assert_array_equal(whole.valid, parts.valid)
    np.testing.assert_array_equal(whole.variance, parts.variance)
    assert parts.region == REGION
