"""How much memory a run takes at its peak, measured in processes of their own."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest
from helpers.measured import PROCESSES
from helpers.peak import peak_of

import nxscan

MIB = 2**20
BITSHUFFLE = dict(hdf5plugin.Bitshuffle(cname="lz4"))


def repeated(path, shape, chunks):
    """Make a foreign file of uint16 from four chunks that come again and again."""
    rng = np.random.default_rng(0)
    with h5py.File(path.with_suffix(".few"), "w") as file:
        few = file.create_dataset("few", (4, *chunks), "u2", chunks=(1, *chunks), **BITSHUFFLE)
        for k in range(4):
            few[k] = rng.poisson(5, chunks)
        stored = [few.id.read_direct_chunk((k, *[0] * len(chunks)))[1] for k in range(4)]
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "frames"})
        frames = group.create_dataset("frames", shape, "u2", chunks=chunks, **BITSHUFFLE)
        grid = [-(-n // c) for n, c in zip(shape, chunks, strict=True)]
        for k, corner in enumerate(np.ndindex(*grid)):
            place = tuple(int(i * c) for i, c in zip(corner, chunks, strict=True))
            frames.id.write_direct_chunk(place, stored[k % 4])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sources of 50, 100 and 200 MB."""
    made = tmp_path_factory.mktemp("peak")
    # compiled code is loaded once 32 MB are read, and is not what is measured
    repeated(made / "warm.h5", (100, 512, 512), (1, 512, 512))
    repeated(made / "frames.h5", (100, 1024, 512), (1, 1024, 512))
    repeated(made / "twice.h5", (200, 1024, 512), (1, 1024, 512))
    repeated(made / "tiled.h5", (100, 1024, 512), (1, 256, 256))
    repeated(made / "twice_tiled.h5", (200, 1024, 512), (1, 256, 256))
    repeated(made / "small.h5", (20, 1000, 8, 8), (1, 1000, 8, 8))
    return made


def peak(folder, process, source, chain="", **options):
    into = folder / f"{process}_{source}_{chain or 'raw'}.nxs"
    for left in folder.glob("*_warm.nxs"):
        left.unlink()
    into.unlink(missing_ok=True)
    found = peak_of(
        process, folder / f"{source}.h5", folder / "warm.h5", into, "helpers.measured", chain,
        workers=2, **options,
    )  # fmt: skip
    return found, into


@pytest.mark.parametrize(
    ("process", "source", "chain", "memory"),
    [
        ("fit", "frames", "", 150),
        ("fit", "tiled", "", 250),
        ("noisy", "frames", "both", 200),
        ("mean", "twice", "", 250),
    ],
)
def test_a_run_stays_below_its_limit(folder, process, source, chain, memory):
    found, _ = peak(folder, process, source, chain, memory=memory * MIB)
    assert found["peak"] < memory * MIB


def test_workers_in_other_processes_count_as_well(folder):
    found, _ = peak(folder, "frame", "tiled", memory=600 * MIB, executor="processes")
    assert 100 * MIB < found["peak"] < 600 * MIB


@pytest.mark.parametrize(
    ("process", "once", "twice"), [("frame", "frames", "twice"), ("fit", "tiled", "twice_tiled")]
)
def test_twice_the_data_take_no_more_memory(folder, process, once, twice):
    before, _ = peak(folder, process, once, memory=200 * MIB)
    after, _ = peak(folder, process, twice, memory=200 * MIB)
    assert after["peak"] < 1.5 * before["peak"] + 10 * MIB


def test_results_larger_than_memory_are_put_into_the_file(folder):
    found, into = peak(folder, "curves", "small", memory=200 * MIB)
    assert found["peak"] < 200 * MIB
    result = nxscan.results(into)[-1]
    size = 20 * 1000 * 2000 * 8
    assert size > 1.5 * found["peak"]
    with h5py.File(folder / "small.h5") as file:
        total = file["entry/data/frames"][7, 100:105].astype(float).sum(axis=(-2, -1))
    curve = result["curve"]
    np.testing.assert_array_equal(curve[7, 100:105], total[:, None] + np.arange(2000.0))


def test_what_is_measured_is_computed_rightly(folder):
    result = PROCESSES["mean"].run(folder / "warm.h5", into=folder / "check.nxs")
    with h5py.File(folder / "warm.h5") as file:
        data = file["entry/data/frames"][...].astype(float)
    np.testing.assert_allclose(result["mean"], data.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(result["variance"], data.var(axis=0), rtol=1e-9)
