"""Find the line of a TOML file that a problem is on, which tomllib does not keep."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as AbstractMapping
from typing import Any

_HEADER = re.compile(r"\s*(\[\[?[^\[\]]+\]\]?)\s*(#.*)?")


class Lines:
    r"""The lines of a TOML text, found by place (``("field", 3, "units")``).

    >>> Lines('name = "a"\n[[field]]\ntarget = "x"\n').find(("field", 0, "target"))
    3
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._headers: list[tuple[int, tuple[str | int, ...]]] = [(0, ())]
        counts: dict[tuple[str | int, ...], int] = {}
        for number, line in enumerate(self._lines, 1):
            if (path := _header(line)) is None:
                continue
            if line.lstrip().startswith("[["):
                index = counts[path] = counts.get(path, -1) + 1
                path = (*path, index)
            self._headers.append((number, path))

    def find(self, place: tuple[str | int, ...]) -> int | None:
        """Return the number of the line that says ``place``, or of the table it is in."""
        number, path = max(
            (header for header in self._headers if header[1] == place[: len(header[1])]),
            key=lambda header: len(header[1]),
        )
        rest = place[len(path) :]
        key = rest[0] if rest else None
        if isinstance(key, str) and (line := self._key(number, key)):
            return line
        return number or None

    def _key(self, header: int, key: str) -> int | None:
        pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]")
        for number, line in enumerate(self._lines[header:], header + 1):
            if _header(line) is not None:
                return None
            if pattern.match(line):
                return number
        return None


def _header(line: str) -> tuple[str | int, ...] | None:
    """Return the keys of a table's header, or None if the line is none."""
    found = _HEADER.fullmatch(line)
    if found is None:
        return None
    try:
        inside: Any = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError:
        return None
    keys: list[str | int] = []
    while isinstance(inside, AbstractMapping) and inside:
        key, inside = next(iter(inside.items()))
        keys.append(key)
        inside = inside[0] if isinstance(inside, list) else inside
    return tuple(keys)
