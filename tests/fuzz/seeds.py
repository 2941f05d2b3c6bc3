"""The whole files that are damaged: EDF of many styles, mapping files, masters, foreign HDF5."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal
from unittest.mock import patch

import h5py
import numpy as np

from fuzz import sources, styles, tables
from fuzz.mutate import mutate
from fuzz.styles import PACK, UNPACK, images

What = Literal["edf", "mapping", "master", "foreign", "hdf5", "linked", "table"]
HDF5_PARTS = re.compile(
    rb"\x89HDF|OHDR|OCHK|GCOL|FRHP|FHDB|FHIB|BTHD|BTLF|FAHD|FADB|EAHD|EAIB|TREE|HEAP|SNOD"
)
TABLE_PARTS = re.compile(rb"\n|,|#[SLPON]|sim:")
EDF_PARTS = re.compile(rb"\{|\}\n|motor_|counter_|Dim_|Size|EDF_")

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
    what : {"edf", "mapping", "master", "foreign", "hdf5", "linked", "table"}
        What is run over them.
    make : callable
        Writes them into a folder.
    damaged : str
        Which of them are damaged, as a glob.
    source : str
        What of the folder is translated, where that is not all of it.

    """

    what: What
    make: Callable[[Path], None]
    damaged: str = "*"
    source: str = ""


def make_seeds(folder: Path) -> None:
    """Write the whole files of every kind, each into a folder of its own."""
    for name, kind in KINDS.items():
        target = folder / name
        target.mkdir(parents=True)
        kind.make(target)


def damage(seeds: Path, name: str, number: int, target: Path) -> tuple[Path, str]:
    """Copy the files of a kind into ``target``, one of them damaged.

    The name of the kind and the number say exactly what becomes of it; a number below zero
    leaves it whole.

    Returns
    -------
    Path, str
        The damaged file, and what was done to it.

    """
    rng = Random(f"{name} {number}")
    home = seeds / name
    files = sorted(path for path in home.rglob("*") if path.is_file())
    chosen = rng.choice([path for path in files if path.match(KINDS[name].damaged)])
    done = ""
    for path in files:
        data = path.read_bytes()
        if path == chosen and number >= 0:
            data, done = _damaged(data, path.suffix, rng)
        copy = target / path.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
        shutil.copystat(path, copy)  # links know their sources by size and time
    return target / chosen.relative_to(home), done


def _damaged(data: bytes, suffix: str, rng: Random) -> tuple[bytes, str]:
    if suffix not in PACK or rng.random() < 0.4:
        return mutate(data, rng, edges(data))
    inner = UNPACK[suffix](data)
    inner, done = mutate(inner, rng, edges(inner))
    return PACK[suffix](inner), f"packed({done})"


def edges(data: bytes) -> list[int]:
    """Return where the parts of a file begin."""
    parts = HDF5_PARTS if data.startswith(b"\x89HDF") else EDF_PARTS
    if data.startswith((b"# sample", b"#F", b"\x3f\xa6")):
        parts = TABLE_PARTS
    return [0, *(found.start() for found in parts.finditer(data)), len(data)]


def _with_mapping(text: Callable[[], str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        styles.simulated("multi", ".edf")(folder)
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
    styles.simulated("multi", ".edf")(raw)
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
    "edf-plain": Kind("edf", styles.plain),
    "edf-old": Kind("edf", styles.one_key_per_motor),
    "edf-simulated": Kind("edf", styles.simulated("single", ".edf")),
    "edf-multi": Kind("edf", styles.simulated("multi", ".edf")),
    "edf-gz": Kind("edf", styles.simulated("single", ".edf.gz")),
    "edf-gz-multi": Kind("edf", styles.packed(".gz")),
    "edf-gz-members": Kind("edf", styles.simulated("multi", ".edf.gz")),
    "edf-bz2-multi": Kind("edf", styles.packed(".bz2")),
    "edf-scans": Kind("edf", styles.several_scans),
    "edf-general": Kind("edf", styles.general_block),
    "edf-packed-inside": Kind("edf", styles.packed_inside),
    "edf-elsewhere": Kind("edf", styles.elsewhere),
    "edf-lines": Kind("edf", styles.lines),
    "mapping-small": Kind("mapping", _with_mapping(lambda: SMALL_MAPPING), "*.toml"),
    "mapping-esrf": Kind("mapping", _with_mapping(_esrf_mapping), "*.toml"),
    "master-grid": Kind("master", _master((3, 4))),
    "master-image": Kind("master", _master(())),
    "master-beside": Kind("master", _master((5,), 0)),
    "master-translated": Kind("master", _translated),
    "foreign-old": Kind("foreign", _foreign(libver="earliest")),
    "foreign-new": Kind("foreign", _foreign(libver="v110")),
    "bliss-master": Kind("hdf5", sources.bliss, "simulated*.h5", "simulated_0001.h5"),
    "bliss-lima": Kind("hdf5", sources.bliss, "pco*.h5", "simulated_0001.h5"),
    "eiger-master": Kind("hdf5", sources.eiger, "*_master.h5"),
    "eiger-data": Kind("hdf5", sources.eiger, "*_data_*.h5"),
    "lambda": Kind("hdf5", sources.lambda_series),
    "areadetector": Kind("hdf5", sources.areadetector),
    "nexus-plain": Kind("hdf5", sources.plain_nexus),
    "sacla": Kind("hdf5", sources.sacla),
    "generic": Kind("hdf5", sources.generic, "*.h5", "raw.h5"),
    "mapping-hdf5": Kind("hdf5", sources.generic, "*.toml", "raw.h5"),
    "linked-master": Kind("linked", sources.linked(sources.bliss, "simulated_0001.h5"), "*.nxs"),
    "linked-bliss": Kind("linked", sources.linked(sources.bliss, "simulated_0001.h5"), "pco*.h5"),
    "linked-edf": Kind("linked", sources.linked(styles.simulated("multi", ".edf"), ""), "*.edf"),
    "table-csv": Kind("table", tables.csv_map),
    "table-spec": Kind("table", tables.spec_scans),
    "table-mda": Kind("table", tables.mda_map),
    "table-mda-spectra": Kind("table", tables.mda_spectra),
    "linked-sacla": Kind("linked", sources.linked(sources.sacla, ""), "run.h5"),
    "linked-lambda": Kind("linked", sources.linked(sources.lambda_series, ""), "*_part*.nxs"),
}
