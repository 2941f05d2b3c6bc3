"""Other formats, read by fabio as a whole."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN
from nxscan.translators.images.frame import Header, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_quiet = Lock()
_LONGEST = 1000


def list_fabio(path: str, data: bytes, reader: str) -> list[tuple[Header, Layout, int]]:
    """Return header, layout and missing bytes of every frame of a file, which is read whole.

    Raises
    ------
    SourceError
        If fabio cannot read it.

    """
    with _opened(path, data, reader) as image:
        found = []
        for index in range(image.nframes):
            frame = image if image.nframes == 1 else image.get_frame(index)
            pixels = _checked(path, frame.data)
            layout = Layout(pixels.shape, pixels.dtype.newbyteorder("<").str, pixels.nbytes)
            found.append((Header(_texts(frame.header)), layout, 0))
        return found


def read_fabio(path: str, data: bytes, reader: str, index: int, layout: Layout) -> NDArray[Any]:
    """Return one frame of a file.

    Raises
    ------
    SourceError
        If fabio cannot read it, or it is another one than was listed.

    """
    with _opened(path, data, reader) as image:
        pixels = _checked(path, image.data if image.nframes == 1 else image.get_frame(index).data)
    if pixels.shape != layout.shape:
        raise SourceError(
            f"{path}: frame {index} is {pixels.shape}, expected {layout.shape}", AGAIN
        )
    return np.asarray(pixels, np.dtype(layout.dtype))


class _Hearing(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.heard: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.heard.append(record)


@contextmanager
def _opened(path: str, data: bytes, reader: str) -> Iterator[Any]:
    """Read a file with fabio; what it logs as an error is one."""
    from fabio import fabioformats

    handler = _Hearing(logging.WARNING)
    log = logging.getLogger("fabio")
    with _quiet:
        propagated = log.propagate
        log.propagate = False
        log.addHandler(handler)
        try:
            stream: Any = io.BytesIO(data)
            stream.name = path
            yield fabioformats.factory(f"{reader}image").read(stream)
        except SourceError:
            raise
        except Exception as error:  # fabio's readers raise whatever a damaged file leads them to
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise SourceError(f"{path}: fabio cannot read it: {said}", AGAIN) from error
        finally:
            log.removeHandler(handler)
            log.propagate = propagated
    for record in handler.heard:
        if record.levelno >= logging.ERROR:
            raise SourceError(f"{path}: {record.getMessage()}", AGAIN)


def _checked(path: str, pixels: Any) -> NDArray[Any]:
    if pixels is None or pixels.ndim != 2 or pixels.dtype.kind not in "iuf":
        what = "nothing" if pixels is None else f"{pixels.shape} {pixels.dtype}"
        raise SourceError(f"{path}: expected a gray image, found {what}", AGAIN)
    return np.asarray(pixels)


def _texts(header: Any) -> dict[str, str]:
    return {
        str(key): str(value).strip()
        for key, value in dict(header or {}).items()
        if len(str(value)) <= _LONGEST
    }
