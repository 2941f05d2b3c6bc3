"""One EDF header block: kept byte for byte, and read into keys and texts.

A block is ``{``, then ``key = value ;`` again and again, then ``}`` and a line feed; the pixels
follow at once. As fabio does, the text is split at every semicolon and each part at its first
``=``; a part without one is no key. Unlike fabio, no key is dropped: text that is not UTF-8 is
read as Latin-1, and a key that comes again becomes ``KEY_2``, ``KEY_3`` (the first free number).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from nxscan.errors import SourceError

END = re.compile(rb"\}\r?\n")
BLANK = b" \t\r\n\v\f\x00"
_STRUCTURE = frozenset(
    {"SIZE", "DATATYPE", "BYTEORDER", "COMPRESSION", "EDF_BINARYSIZE", "EDF_BINARYFILENAME",
     "EDF_BINARYFILEPOSITION", "RASTERCONFIGURATION"}
)  # fmt: skip
_NOT_INHERITED = frozenset({"SIZE", "IMAGE", "HEADERID"})


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one frame.

    Attributes
    ----------
    raw : bytes
        The block byte for byte, from ``{`` to its last line feed.
    values : dict of str to str
        Every key with its text, in the order of the block.
    structure : dict of str to str
        The keys that say how the pixels lie in the file, in capitals.
    repeated : tuple of str
        Keys that came more than once.
    conflicts : tuple of str
        Structure keys that came more than once with different values.

    """

    raw: bytes
    values: dict[str, str]
    structure: dict[str, str] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def is_general(self) -> bool:
        """Tell whether this is a general block: defaults for the frames that follow."""
        return "EDF_DataFormatVersion" in self.values

    def with_defaults(self, general: Header) -> Header:
        """Return this header with what it lacks taken from the file's general block.

        ``raw`` then holds both blocks, one after the other.
        """
        inherited = {k: v for k, v in general.values.items() if _is_inherited(k)}
        structure = {k: v for k, v in general.structure.items() if _is_inherited(k)}
        return Header(
            general.raw + self.raw,
            {**inherited, **self.values},
            {**structure, **self.structure},
            self.repeated,
            self.conflicts,
        )


def parse_header(block: bytes) -> Header:
    r"""Read one header block.

    Parameters
    ----------
    block : bytes
        From ``{`` (white space may stand before it) to the line feed after ``}``.

    Raises
    ------
    SourceError
        If ``block`` does not begin with ``{``.

    Examples
    --------
    >>> parse_header(b"{\nDim_1 = 4 ;\nmono = 1 ;\nmono = 2 ;\n}\n").values
    {'Dim_1': '4', 'mono': '1', 'mono_2': '2'}

    """
    text = block.lstrip(BLANK)
    if not text.startswith(b"{"):
        raise SourceError(f"an EDF header begins with '{{', found {text[:16]!r}")
    end = END.search(text)
    values: dict[str, str] = {}
    structure: dict[str, str] = {}
    repeated: list[str] = []
    conflicts: list[str] = []
    for part in text[1 : end.start() if end else None].split(b";"):
        name, equals, value = part.partition(b"=")
        key = _decode(name)
        if not equals or not key:
            continue
        content = _decode(value)
        _keep_structure(key.upper(), content, structure, conflicts)
        if key in values:
            repeated.append(key)
            key = _free_name(key, values)
        values[sys.intern(key)] = content
    return Header(block, values, structure, tuple(repeated), tuple(conflicts))


def _decode(raw: bytes) -> str:
    raw = raw.strip(BLANK)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\x00", "")


def _free_name(key: str, taken: dict[str, str]) -> str:
    number = 2
    while f"{key}_{number}" in taken:
        number += 1
    return f"{key}_{number}"


def _keep_structure(key: str, value: str, structure: dict[str, str], conflicts: list[str]) -> None:
    if key not in _STRUCTURE and not key.startswith("DIM_"):
        return
    if structure.setdefault(key, value) != value:
        conflicts.append(key)


def _is_inherited(key: str) -> bool:
    return key[:4].upper() != "EDF_" and key.upper() not in _NOT_INHERITED
