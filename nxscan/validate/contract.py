"""What a check is: a small generator of findings over one open file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h5py

from nxscan.validate.finding import Finding, Source
from nxscan.validate.tree import Tree, nx_class


class Skip(Exception):  # noqa: N818  (it is no error: the check has nothing to look at)
    """Raised by a check that cannot or need not look at this file.

    Parameters
    ----------
    reason : str
        Why.
    hint : str, optional
        What a user can do to have it run.

    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Target:
    """The file under test, open for reading.

    Attributes
    ----------
    path : Path
        Absolute path, for validators that open files themselves.
    file : h5py.File
        The same, open.
    data : bool
        Whether frames are to be read again and compared with their checksums.

    """

    path: Path
    file: h5py.File
    data: bool = False

    @cached_property
    def tree(self) -> Tree:
        """Everything in the file, walked once; other files that it links to are not entered."""
        return Tree.of(self.file)

    @cached_property
    def entries(self) -> list[h5py.Group]:
        """The NXentry groups at the root."""
        return [
            group
            for group in self.tree.groups
            if nx_class(group) == "NXentry" and group.name.count("/") == 1
        ]

    @cached_property
    def plots(self) -> list[h5py.Group]:
        """Every NXdata group."""
        return [group for group in self.tree.groups if nx_class(group) == "NXdata"]

    @cached_property
    def own_entries(self) -> list[h5py.Group]:
        """The entries that nxscan wrote: those that say which layout they have."""
        return [entry for entry in self.entries if "translation/parameters/layout_version" in entry]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
        What it looks at, in two or three words.
    source : str
        Validator that it belongs to.
    run : callable
        Yields findings, or raises `Skip` before the first.
    apart : bool
        It works in a process of its own and needs only the path: it runs beside the others.

    """

    name: str
    source: Source
    run: Callable[[Target], Iterator[Finding]]
    apart: bool = False
