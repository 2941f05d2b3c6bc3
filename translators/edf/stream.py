"""Compressed files, read forward and kept open between frames.

A compressed file can be read from its beginning only. Threads that ask for its frames nearly in
order are served from one stream; the last frames that went by are kept for those that come late.
"""

from __future__ import annotations

import threading
import weakref
from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from nxscan.translators.edf.file import DAMAGE, unpacked
from nxscan.translators.edf.pixels import damaged, open_listed, truncated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nxscan.translators.edf.file import Place

_OPEN_FILES = 4
_KEPT_FRAMES = 16
_KEPT_BYTES = 64 * 2**20


class Streams:
    """The compressed files of one signal, a few of them open at a time.

    Parameters
    ----------
    places : iterable of Place
        Every frame that will be asked for.

    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Stream] = OrderedDict()
        self._blocks: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place in places:
            if place.codec:
                self._blocks[place.path].append((place.offset, place.layout.stored))
        for blocks in self._blocks.values():
            blocks.sort()
        weakref.finalize(self, _retire_all, self._open)

    def read(self, place: Place) -> bytes:
        """Return the stored bytes of one frame.

        Raises
        ------
        SourceError
            If the file is damaged, cut short, or has changed since it was listed.

        """
        return self._stream(place).read(place)

    def _stream(self, place: Place) -> _Stream:
        with self._lock:
            stream = self._open.pop(place.path, None) or _Stream(self._blocks[place.path])
            self._open[place.path] = stream
            while len(self._open) > _OPEN_FILES:
                self._open.popitem(last=False)[1].retire()
            return stream


def _retire_all(streams: OrderedDict[str, _Stream]) -> None:
    for stream in streams.values():
        stream.retire()


class _Stream:
    """One compressed file: where it stands, and the frames that went by last."""

    def __init__(self, blocks: list[tuple[int, int]]) -> None:
        self._blocks = blocks
        self._lock = threading.Lock()
        self._closer = ExitStack()
        self._file: BinaryIO | None = None
        self._position = 0
        self._passed: OrderedDict[int, bytes] = OrderedDict()
        self._retired = False

    def read(self, place: Place) -> bytes:
        try:
            with self._lock:
                kept = self._passed.get(place.offset)
                return self._advance(place) if kept is None else kept
        except DAMAGE as error:
            raise damaged(place, error) from error
        finally:
            if self._retired:
                self._try_to_close()

    def retire(self) -> None:
        """Close now, or as soon as the last reader has finished."""
        self._retired = True
        self._try_to_close()

    def _try_to_close(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._close()
                self._passed.clear()
            finally:
                self._lock.release()

    def _close(self) -> None:
        self._closer.close()
        self._file = None
        self._position = 0

    def _advance(self, place: Place) -> bytes:
        """Read up to a frame, from where the stream stands or again from the beginning."""
        file = self._file or self._opened(place)
        start = self._position if place.offset >= self._position else 0
        data = b""
        for offset, stored in self._between(start, place.offset):
            file.seek(offset)
            data = file.read(stored)
            if len(data) < stored:
                raise truncated(place, len(data), stored)
            self._position = offset + stored
            self._keep(offset, data)
        if place.offset == self._blocks[-1][0]:
            self._finish(file)
        return data

    def _opened(self, place: Place) -> BinaryIO:
        raw = self._closer.enter_context(open_listed(place))
        self._file = self._closer.enter_context(unpacked(raw, place.codec))
        return self._file

    def _between(self, start: int, stop: int) -> list[tuple[int, int]]:
        first = bisect_left(self._blocks, (start, 0))
        return self._blocks[first : bisect_right(self._blocks, (stop, 2**63))]

    def _keep(self, offset: int, data: bytes) -> None:
        self._passed[offset] = data
        self._passed.move_to_end(offset)
        most = max(4, min(_KEPT_FRAMES, _KEPT_BYTES // max(1, len(data))))
        while len(self._passed) > most:
            self._passed.popitem(last=False)

    def _finish(self, file: BinaryIO) -> None:
        """Read the rest of the file, which checks its checksum, and close it."""
        while file.read(2**16):
            pass
        self._close()
