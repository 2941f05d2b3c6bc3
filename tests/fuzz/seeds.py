"""The whole files that are damaged: EDF of many styles, mapping files, masters, foreign HDF5."""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal
from unittest.mock import patch

import h5py
import numpy as np

from fuzz.mutate import mutate

What = Literal["edf", "mapping", "master", "foreign"]
HDF5_PARTS = re.compile(
    rb"\x89HDF|OHDR|OCHK|GCOL|FRHP|FHDB|FHIB|BTHD|BTLF|FAHD|FADB|EAHD|EAIB|TREE|HEAP|SNOD"
)
EDF_PARTS = re.compile(rb"\{|\}\n|motor_|counter_|Dim_|Size|EDF_")
PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress}
UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress}

SMALL_MAPPING = """\
name = "mine"
scan_keys = ["scan_no"]
not_motors = ["title", "acq_*"]
time_zone = "Europe/Paris"

[motors.mu]
units = "degree"
long_name = "rocking angle"

[groups]
"instrument/attenuator" = "NXattenuator"

[[pairs]]
mnemonics = "motor_mne"
positions = "motor_pos"
what = "motors"

[[field]]
target = "instrument/attenuator/thickness"
from = [{ key = "motor_pos", entries = ["u22"], units_in = "um" }]
units = "mm"
within = [0.0, 1.0]

[[field]]
target = "sample/temperature"
default = 293.0
units = "K"
"""


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes
    ----------
    what : {"edf", "mapping", "master", "foreign"}
        What is run over them.
    make : callable
        Writes them into a folder.
    damaged : str
        Which of them are damaged, as a glob.

    """

    what: What
    make: Callable[[Path], None]
    damaged: str = "*"


def make_seeds(folder: Path) -> None:
    """Write the whole files of every kind, each into a folder of its own."""
    for name, kind in KINDS.items():
        target = folder / name
        target.mkdir(parents=True)
        kind.make(target)


def damage(seeds: Path, name: str, number: int, target: Path) -> tuple[Path, str]:
    """Copy the files of a kind into ``target``, one of them damaged.

    The name of the kind and the number say exactly what becomes of it.

    Returns
    -------
    Path, str
        The damaged file, and what was done to it.

    """
    rng = Random(f"{name} {number}")
    files = sorted((seeds / name).iterdir())
    chosen = rng.choice([path for path in files if path.match(KINDS[name].damaged)])
    done = ""
    for path in files:
        data = path.read_bytes()
        if path == chosen:
            data, done = _damaged(data, path.suffix, rng)
        (target / path.name).write_bytes(data)
    return target / chosen.name, done


def _damaged(data: bytes, suffix: str, rng: Random) -> tuple[bytes, str]:
    if suffix not in PACK or rng.random() < 0.4:
        return mutate(data, rng, edges(data))
    inner = UNPACK[suffix](data)
    inner, done = mutate(inner, rng, edges(inner))
    return PACK[suffix](inner), f"packed({done})"


def edges(data: bytes) -> list[int]:
    """Return where the parts of a file begin."""
    parts = HDF5_PARTS if data.startswith(b"\x89HDF") else EDF_PARTS
    return [0, *(found.start() for found in parts.finditer(data)), len(data)]


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


def _simulated(files: str, suffix: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from nxscan.simulate import crystal, rocking_scan, write_edf

        mu = np.linspace(-0.01, 0.01, 4)
        scan = rocking_scan(crystal((8, 8)), mu=mu, seed=1)
        write_edf(scan, folder, files=files, suffix=suffix, prefix="a_", darks=1)

    return make


def _plain(folder: Path) -> None:
    for k, image in enumerate(images(4)):
        pair = {"motor_mne": "mu chi", "motor_pos": f"{k * 0.1} {k // 2}", "title": "ein Käfer"}
        (folder / f"s_{k:04d}.edf").write_bytes(block(image, **pair))


def _one_key_per_motor(folder: Path) -> None:
    for k, image in enumerate(images(4, "i4")):
        header = {"mono": 12.5, "phi": k * 2, "time_of_day": 1e9 + k, "mono ": 3}
        (folder / f"old{k}.edf").write_bytes(block(image, high=True, **header))


def _packed(suffix: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        blocks = [block(image, Image=k, phi=k) for k, image in enumerate(images(4, "f4"), 1)]
        (folder / f"m.edf{suffix}").write_bytes(PACK[suffix](b"".join(blocks)))

    return make


def _several_scans(folder: Path) -> None:
    blocks = [block(image, scan_no=k // 3, mu=k % 3) for k, image in enumerate(images(6))]
    (folder / "m.edf").write_bytes(b"".join(blocks))


def _general_block(folder: Path) -> None:
    general = b"{\nEDF_DataFormatVersion = 2.40 ;\nEDF_BinarySize = 0 ;\nbeamline = ID1 ;\n"
    blocks = [block(image, EDF_DataBlockID=f"{k}.Image.Psd") for k, image in enumerate(images(3))]
    (folder / "g.edf").write_bytes(general.ljust(510) + b"}\n" + b"".join(blocks))


def _packed_inside(folder: Path) -> None:
    for k, image in enumerate(images(3)):
        (folder / f"z{k}.edf").write_bytes(block(image, COMPRESSION="GZIP", mu=k))


def _elsewhere(folder: Path) -> None:
    for k, image in enumerate(images(3)):
        where = {"EDF_BinaryFileName": f"e{k}.dat", "EDF_BinaryFilePosition": 0}
        whole = block(image, EDF_BinarySize=image.nbytes, mu=k, **where)
        (folder / f"e{k}.edf").write_bytes(whole[: -image.nbytes])
        (folder / f"e{k}.dat").write_bytes(image.tobytes())


def _lines(folder: Path) -> None:
    for k, image in enumerate(images(3, "u1", (12,))):
        (folder / f"l{k}.edf").write_bytes(block(image, mu=k))


def _with_mapping(text: Callable[[], str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        _simulated("multi", ".edf")(folder)
        (folder / "mine.toml").write_text(text(), encoding="utf-8")

    return make


def _esrf_mapping() -> str:
    from importlib.resources import files

    return files("nxscan.translators.mappings").joinpath("esrf.toml").read_text("utf-8")


def _master(shape: tuple[int, ...], inline_limit: int = 1 << 26) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from helpers.scans import make_scan

        from nxscan.model import ArraySignal
        from nxscan.nexus import layout, write_scan

        scan = make_scan(shape)[0]
        scan.dark = ArraySignal(np.stack(images(2, shape=(6, 5))), "counts")
        scan.mask = np.zeros((6, 5), np.uint32)
        with patch.object(layout, "INLINE_LIMIT", inline_limit):
            write_scan(scan, folder / "scan.nxs")

    return make


def _translated(folder: Path) -> None:
    from nxscan import plan
    from nxscan.nexus import write_scan

    raw = folder / "raw"
    _simulated("multi", ".edf")(raw)
    found, options = plan.survey(raw), plan.make_options()
    scan = plan.open_scan(found, found.refs[0], options, None)
    write_scan(scan, folder / "scan.nxs")
    for path in raw.iterdir():
        path.unlink()
    raw.rmdir()


def _foreign(**options: str) -> Callable[[Path], None]:
    """Write NeXus as others do: old or new HDF5, plain attributes, text of variable length."""

    def make(folder: Path) -> None:
        with h5py.File(folder / "other.h5", "w", **options) as file:
            file.attrs["default"] = "entry"
            entry = file.create_group("entry")
            entry.attrs.update(NX_class="NXentry", default="data")
            entry["title"], entry["tags"] = "a scan", ["a", "b"]
            data = entry.create_group("data")
            data.attrs.update(NX_class="NXdata", signal="data", axes=["mu", "y", "x"])
            frames = np.stack(images(4))
            data.create_dataset("data", data=frames, chunks=(1, 9, 7), compression="gzip")
            for name, length in zip(("mu", "y", "x"), frames.shape, strict=True):
                data[name] = np.arange(length) * 0.5
                data[name].attrs["units"] = "mm"
            data["soft"], entry["loop"] = h5py.SoftLink("/entry/data/data"), h5py.SoftLink("/entry")
            data["away"] = h5py.ExternalLink("gone.h5", "/entry/data")
            data["table"] = np.zeros(3, [("a", "f8"), ("b", "S4")])

    return make


KINDS = {
    "edf-plain": Kind("edf", _plain),
    "edf-old": Kind("edf", _one_key_per_motor),
    "edf-simulated": Kind("edf", _simulated("single", ".edf")),
    "edf-multi": Kind("edf", _simulated("multi", ".edf")),
    "edf-gz": Kind("edf", _simulated("single", ".edf.gz")),
    "edf-gz-multi": Kind("edf", _packed(".gz")),
    "edf-gz-members": Kind("edf", _simulated("multi", ".edf.gz")),
    "edf-bz2-multi": Kind("edf", _packed(".bz2")),
    "edf-scans": Kind("edf", _several_scans),
    "edf-general": Kind("edf", _general_block),
    "edf-packed-inside": Kind("edf", _packed_inside),
    "edf-elsewhere": Kind("edf", _elsewhere),
    "edf-lines": Kind("edf", _lines),
    "mapping-small": Kind("mapping", _with_mapping(lambda: SMALL_MAPPING), "*.toml"),
    "mapping-esrf": Kind("mapping", _with_mapping(_esrf_mapping), "*.toml"),
    "master-grid": Kind("master", _master((3, 4))),
    "master-image": Kind("master", _master(())),
    "master-beside": Kind("master", _master((5,), 0)),
    "master-translated": Kind("master", _translated),
    "foreign-old": Kind("foreign", _foreign(libver="earliest")),
    "foreign-new": Kind("foreign", _foreign(libver="v110")),
}
