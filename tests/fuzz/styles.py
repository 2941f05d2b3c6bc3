"""EDF files of many styles, written without any code that reads them."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress}
UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress}
TYPES = {"u2": "UnsignedShort", "i4": "SignedInteger", "f4": "FloatValue", "u1": "UnsignedByte"}


def block(image: np.ndarray, *, high: bool = False, **header: object) -> bytes:
    """Return one EDF block, written without any code of nxscan."""
    pixels = image.astype(image.dtype.newbyteorder(">" if high else "<")).tobytes()
    packing = header.get("COMPRESSION")
    pixels = gzip.compress(pixels, mtime=0) if packing == "GZIP" else pixels
    keys = {
        "HeaderID": "EH:000001:000000:000000",
        "Image": 1,
        "ByteOrder": "HighByteFirst" if high else "LowByteFirst",
        "DataType": TYPES[image.dtype.str[1:]],
        **{f"Dim_{k}": size for k, size in enumerate(reversed(image.shape), 1)},
        "Size": len(pixels),
        **header,
    }
    text = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in keys.items())
    raw = text.encode("utf-8")
    return raw.ljust(-(-(len(raw) + 2) // 512) * 512 - 2) + b"}\n" + pixels


def images(count: int, dtype: str = "u2", shape: tuple[int, ...] = (9, 7)) -> list[np.ndarray]:
    """Return frames of which no two are alike."""
    rng = np.random.default_rng(count)
    return list(rng.integers(0, 200, (count, *shape)).astype(dtype))


def simulated(files: str, suffix: str) -> Callable[[Path], None]:
    """Write what the simulator writes: rocking frames, a dark frame beside them."""

    def make(folder: Path) -> None:
        from nxscan.simulate import crystal, rocking_scan, write_edf

        mu = np.linspace(-0.01, 0.01, 4)
        scan = rocking_scan(crystal((8, 8)), mu=mu, seed=1)
        write_edf(scan, folder, files=files, suffix=suffix, prefix="a_", darks=1)

    return make


def plain(folder: Path) -> None:
    """Write one file a frame, with lists of motors and a title in UTF-8."""
    for k, image in enumerate(images(4)):
        pair = {"motor_mne": "mu chi", "motor_pos": f"{k * 0.1} {k // 2}", "title": "ein Käfer"}
        (folder / f"s_{k:04d}.edf").write_bytes(block(image, **pair))


def one_key_per_motor(folder: Path) -> None:
    """Write headers of 2005: big-endian, a key for each motor, one of them twice."""
    for k, image in enumerate(images(4, "i4")):
        header = {"mono": 12.5, "phi": k * 2, "time_of_day": 1e9 + k, "mono ": 3}
        (folder / f"old{k}.edf").write_bytes(block(image, high=True, **header))


def packed(suffix: str) -> Callable[[Path], None]:
    """Write several frames into one compressed file."""

    def make(folder: Path) -> None:
        blocks = [block(image, Image=k, phi=k) for k, image in enumerate(images(4, "f4"), 1)]
        (folder / f"m.edf{suffix}").write_bytes(PACK[suffix](b"".join(blocks)))

    return make


def several_scans(folder: Path) -> None:
    """Write two scans into one file."""
    blocks = [block(image, scan_no=k // 3, mu=k % 3) for k, image in enumerate(images(6))]
    (folder / "m.edf").write_bytes(b"".join(blocks))


def general_block(folder: Path) -> None:
    """Write a general block before the frames."""
    general = b"{\nEDF_DataFormatVersion = 2.40 ;\nEDF_BinarySize = 0 ;\nbeamline = ID1 ;\n"
    blocks = [block(image, EDF_DataBlockID=f"{k}.Image.Psd") for k, image in enumerate(images(3))]
    (folder / "g.edf").write_bytes(general.ljust(510) + b"}\n" + b"".join(blocks))


def packed_inside(folder: Path) -> None:
    """Write frames that are compressed inside their blocks."""
    for k, image in enumerate(images(3)):
        (folder / f"z{k}.edf").write_bytes(block(image, COMPRESSION="GZIP", mu=k))


def elsewhere(folder: Path) -> None:
    """Write headers whose pixels lie in files of their own."""
    for k, image in enumerate(images(3)):
        where = {"EDF_BinaryFileName": f"e{k}.dat", "EDF_BinaryFilePosition": 0}
        whole = block(image, EDF_BinarySize=image.nbytes, mu=k, **where)
        (folder / f"e{k}.edf").write_bytes(whole[: -image.nbytes])
        (folder / f"e{k}.dat").write_bytes(image.tobytes())


def lines(folder: Path) -> None:
    """Write frames of one dimension and one byte a pixel."""
    for k, image in enumerate(images(3, "u1", (12,))):
        (folder / f"l{k}.edf").write_bytes(block(image, mu=k))
