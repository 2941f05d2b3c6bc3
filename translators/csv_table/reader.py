"""A file of text as a table of positions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.model import Source
from nxscan.translate.h5units import source_units
from nxscan.translate.table import Table
from nxscan.translators.csv_table.cells import read_column
from nxscan.translators.csv_table.motors import find_motors
from nxscan.translators.csv_table.sheet import read_sheet
from nxscan.translators.csv_table.text import read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import Mapping


def read_table(path: Path, mapping: Mapping) -> Table:
    """Read a table.

    Parameters
    ----------
    path : Path
        The file.
    mapping : Mapping
        Tells which columns are motors, as `find_motors` says.

    Raises
    ------
    SourceError
        If it is no table, or a row or cell of it cannot be used; it names line and column.

    """
    sheet = read_sheet(path, read_text(path))
    columns: dict[str, NDArray[np.float64]] = {}
    keys: dict[str, NDArray[np.int64]] = {}
    texts: dict[str, NDArray[np.str_]] = {}
    for number, name in enumerate(sheet.names):
        values = read_column(f"{path}, column {name!r}", sheet.column(number), sheet.lines)
        if values.dtype.kind == "U":
            texts[name] = values.astype(np.str_)
            continue
        columns[name] = values.astype(np.float64)
        if values.dtype.kind == "i":
            keys[name] = values.astype(np.int64)
    status = path.stat()
    source = Source(str(path.absolute()), status.st_size, status.st_mtime, len(sheet.rows))
    return Table(
        name=path.name,
        columns=columns,
        motors=find_motors(columns, mapping),
        keys=keys,
        texts=texts,
        units={
            name: units
            for name, text in sheet.units.items()
            if (units := source_units(text)) is not None
        },
        values=sheet.said | {f"{name}@units": text for name, text in sheet.units.items()},
        headers=[sheet.header],
        sources=(source,),
    )
