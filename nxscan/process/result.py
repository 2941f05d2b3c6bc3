"""What a process gave, as it is in the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import ProcessError
from nxscan.nexus.result_read import has_errors, read_output, read_result_scan, read_units
from nxscan.nexus.results import StoredResult
from nxscan.nexus.results import results as stored_results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan


class Result:
    """A result in a file: its arrays by name, read when they are asked for.

    Attributes
    ----------
    path : Path
        The file.
    stored : StoredResult
        All that is known about it: ``group``, ``process``, ``module``, ``version``,
        ``identity``, ``parameters``, ``corrections``, ``date``, ``duration`` and so on.

    Examples
    --------
    >>> result = Moments().run("scan.nxs")  # doctest: +SKIP
    >>> result["center"], result.errors("center"), result.units("center")  # doctest: +SKIP

    """

    def __init__(self, stored: StoredResult) -> None:
        self.stored = stored
        self.path = stored.path

    @classmethod
    def load(cls, path: str | Path, name: str) -> Result:
        """Open a result that is in a file.

        Parameters
        ----------
        path : path
            The file.
        name : str
            Name of the result (``moments_000``), or of a process (``moments``), whose newest
            result is meant.

        Raises
        ------
        ProcessError
            If there is none of that name; the message says which there are.

        """
        found = stored_results(Path(path))
        named = [result for result in found if result.group == name]
        chosen = named or [result for result in found if result.process == name]
        if not chosen:
            there = ", ".join(result.group for result in found) or "none"
            raise ProcessError(f"{path} has no result {name!r}; there are: {there}")
        return cls(chosen[-1])

    @property
    def group(self) -> str:
        """Name of its group in the entry (``moments_000``)."""
        return self.stored.group

    @property
    def process(self) -> str:
        """Name of the process."""
        return self.stored.process

    @property
    def identity(self) -> str:
        """Hash of everything that the result depends on."""
        return self.stored.identity

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the process."""
        return self.stored.parameters

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return self.stored.outputs

    @property
    def default(self) -> str:
        """Name of the array that is the default plot."""
        return self.stored.default

    def __getitem__(self, name: str) -> NDArray[Any]:
        return read_output(self.path, self.group, self._known(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def errors(self, name: str) -> NDArray[Any]:
        """Return one standard deviation of each value.

        Raises
        ------
        ProcessError
            If the output has none.

        """
        if not has_errors(self.path, self.group, self._known(name)):
            raise ProcessError(f"output {name!r} of {self.group} has no errors")
        return read_output(self.path, self.group, name, "data_errors")

    def units(self, name: str) -> str | None:
        """Return the unit of an array; ``""`` is dimensionless, None not known."""
        return read_units(self.path, self.group, self._known(name))

    def as_scan(self, name: str | None = None) -> Scan:
        """Return an array, by default that of the default plot, as a scan, which is read lazily.

        A process that runs on the result of another sees this. Dimensions before the
        detector's are the scan's.
        """
        chosen = self._known(self.default if name is None else name)
        return read_result_scan(self.path, self.group, chosen)

    def plot(self, name: str | None = None, output: str | Path | None = None) -> Any:
        """Draw an array, by default that of the default plot.

        Parameters
        ----------
        name : str, optional
            Which one.
        output : path, optional
            Where the picture goes (PNG, or what else matplotlib writes by that suffix).

        Returns
        -------
        pathlib.Path or matplotlib.figure.Figure
            ``output``, or without one the figure, which a notebook shows.

        """
        import nxscan

        chosen = self._known(self.default if name is None else name)
        return nxscan.plot(self.path, output, h5path=f"/entry/{self.group}/{chosen}")

    def _known(self, name: str) -> str:
        if name not in self.names:
            raise ProcessError(
                f"{self.group} has no output {name!r}", f"there are: {', '.join(self.names)}"
            )
        return name

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in self.parameters.items())
        return (
            f"<Result {self.group} in {self.path.name}: {', '.join(self.names)}; "
            f"{self.process}({given}), {self.stored.date}>"
        )


def results(path: str | os.PathLike[str]) -> list[Result]:
    """Return the results in a file, in the order in which they came.

    Raises
    ------
    LayoutError
        If the file cannot be read.

    """
    return [Result(stored) for stored in stored_results(Path(path))]
