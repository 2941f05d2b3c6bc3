"""USID files written by hand, and any USID file as pyUSID reads it."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def grid(*dims: tuple[str, str, Any]) -> tuple[list[str], list[str], Any, Any]:
    """Return labels, units, indices and values of a whole grid, fastest dimension first.

    Each dimension is label, unit, values; indices and values are (dimensions, points).
    """
    lengths = [len(values) for _, _, values in dims]
    places = np.indices(lengths[::-1]).reshape(len(dims), -1)[::-1]
    values = np.array([np.asarray(dims[k][2])[places[k]] for k in range(len(dims))])
    return [d[0] for d in dims], [d[1] for d in dims], places.astype(np.uint32), values


ONE = (["arb."], ["a. u."], np.zeros((1, 1), np.uint32), np.ones((1, 1), np.float32))
"""The arbitrary dimension that USID asks for where there is none."""


def write_main(
    channel: Any,
    data: Any,
    positions: Any,
    spectra: Any,
    *,
    name: str = "Raw_Data",
    quantity: str = "Current",
    units: str = "nA",
    **options: Any,
) -> Any:
    """Write a Main dataset and its four ancillary datasets; return it."""
    main = channel.create_dataset(name, data=data, **options)
    main.attrs.update(quantity=quantity, units=units)
    for kind, (labels, said, indices, values) in (
        ("Position", positions),
        ("Spectroscopic", spectra),
    ):
        for suffix, table in (("Indices", indices), ("Values", values)):
            written = table.T if kind == "Position" else table
            free = (
                f"{name}_{kind}_{suffix}" if f"{kind}_{suffix}" in channel else f"{kind}_{suffix}"
            )
            dataset = channel.create_dataset(free, data=written)
            dataset.attrs["labels"], dataset.attrs["units"] = labels, said
            main.attrs[f"{kind}_{suffix}"] = dataset.ref
    return main


def write_file(path: Path, data: Any, positions: Any, spectra: Any, **options: Any) -> Path:
    """Write a file with one Main dataset."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        channel = file.create_group("Measurement_000/Channel_000")
        write_main(channel, data, positions, spectra, **options)
    return path


def as_pyusid_reads(path: Path, name: str) -> dict[str, Any]:
    """Return everything that ``pyUSID.USIDataset`` says of a Main dataset.

    What pyUSID refuses is there as the refusal's type.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import pyUSID

        with h5py.File(path, "r") as file:
            main = pyUSID.USIDataset(file[name])
            found: dict[str, Any] = {
                "main": main[()],
                "quantity": str(pyUSID.hdf_utils.get_attr(main, "quantity")),
                "units": str(pyUSID.hdf_utils.get_attr(main, "units")),
                "descriptor": main.data_descriptor,
            }
            for sorting in ("sorted", "file order"):
                for what in ("pos_dim", "spec_dim", "n_dim"):
                    found[f"{what}_labels, {sorting}"] = getattr(main, f"{what}_labels")
                    found[f"{what}_sizes, {sorting}"] = getattr(main, f"{what}_sizes")
                found[f"N-D form, {sorting}"] = _tried(main.get_n_dim_form)
                main.toggle_sorting()
            for kind, inds, vals in (
                ("position", main.h5_pos_inds, main.h5_pos_vals),
                ("spectroscopic", main.h5_spec_inds, main.h5_spec_vals),
            ):
                for part, table in (("indices", inds), ("values", vals)):
                    found[f"{kind} {part}"] = table[()]
                    found[f"{kind} {part} dtype"] = table.dtype
                    for said in ("labels", "units"):
                        texts = pyUSID.hdf_utils.get_attr(table, said)
                        found[f"{kind} {part} {said}"] = np.asarray(texts).astype(str).tolist()
                short = "pos" if kind == "position" else "spec"
                for label in getattr(main, f"{short}_dim_labels"):
                    get = main.get_pos_values if kind == "position" else main.get_spec_values
                    found[f"{kind} values of {label}"] = _tried(lambda get=get, at=label: get(at))
        return found


def _tried(read: Any) -> Any:
    try:
        return np.asarray(read())
    except Exception as error:
        return type(error).__name__


def assert_same_to_pyusid(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Compare all that pyUSID says of two Main datasets: every value bit for bit."""
    assert first.keys() == second.keys()
    for key, value in first.items():
        other = second[key]
        if isinstance(value, np.ndarray):
            assert value.dtype.newbyteorder("=") == other.dtype.newbyteorder("="), key
            np.testing.assert_array_equal(value, other, err_msg=key)
        else:
            assert value == other, key
