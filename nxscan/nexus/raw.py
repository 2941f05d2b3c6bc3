"""The raw headers and keys of a master, which stay in the file until they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nxscan.hdf5.texts import text
from nxscan.model import RawMetadata
from nxscan.nexus.layout import RAW_METADATA
from nxscan.nexus.tree import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.nexus.master import Master, Opened

_KEYS = f"{RAW_METADATA}/keys"


def raw_metadata(master: Master, opened: Opened) -> RawMetadata:
    """Return what the raw files said, unread."""
    if RAW_METADATA not in opened:
        return RawMetadata()
    group = opened[RAW_METADATA]
    count = len(group["header_offsets"]) - 1 if "header_offsets" in group else 0
    return RawMetadata(_Headers(master, count), _Values(master))


class _Headers(Sequence[bytes]):
    """The raw headers of a master, read one at a time."""

    def __init__(self, master: Master, count: int) -> None:
        self._master, self._count = master, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        with self._master.reading() as opened:
            group = opened[RAW_METADATA]
            first = index % self._count
            start, stop = opened.part(group["header_offsets"], slice(first, first + 2)).tolist()
            return opened.part(group["headers"], slice(start, stop)).tobytes()


class _Values(Mapping[str, Any]):
    """The raw keys of a master, read one at a time."""

    def __init__(self, master: Master) -> None:
        self._master = master

    @cached_property
    def _names(self) -> dict[str, str]:
        """Name in the file of every raw key; there may be hundreds."""
        with self._master.reading() as opened:
            group = opened[_KEYS]
            return {
                text(opened.attributes(group[name]).get("description", name)): f"{_KEYS}/{name}"
                for name in group
            }

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, key: str) -> str | NDArray[Any]:
        place = self._names[key]
        with self._master.reading() as opened:
            value: str | NDArray[Any] = plain(opened.value(opened[place]))
            return value
