"""The contract of an analysis: declare outputs, compute a block, and, for a reduction, merge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nxscan.errors import ProcessError
from nxscan.model.names import is_valid_name
from nxscan.process.parameters import Parametrized

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.noise import Noise
    from nxscan.process.output import Output
    from nxscan.process.progress import OnProgress
    from nxscan.process.result import Result

    Arrays = Mapping[str, NDArray[Any]]

Per = Literal["pixel", "position", "scan"]


class Process(Parametrized, ABC):
    """An analysis of a scan, block by block, larger than memory, that can be stopped and resumed.

    A subclass says what its results belong to (``per``), declares them (``outputs``), and
    computes them for a block (``compute``). One that defines ``merge`` is a reduction: its
    ``compute`` gives partial states of any part, two of which ``merge`` joins, and ``finish``
    turns the last state into the outputs.

    Attributes
    ----------
    per : {"pixel", "position", "scan"}
        What one result belongs to: a pixel's curve along the scan, a position's frame, or
        the scan as a whole.
    name : str
        What results are called in the file; by default the class' name in small letters.
    version : str
        Raise it when the results change: earlier ones are then not taken for these.
    requires : sequence of str or Process
        Processes whose results this one needs; they are found in the file or run first.
    works_on : {"frames", "result"}
        What blocks are cut from: the frames, or the default array of an earlier result, that
        of the first process in ``requires`` unless the user names another (``on``). All
        arrays of that result are then in ``scan.signals`` and ``block.required``, errors as
        ``<name>_errors``, and the axes that it has not are in ``scan.integrated``; corrections
        are those that it is made through.
    passes : int
        How often the data are read; every pass but the last must be a reduction, whose
        finished state the next one finds in ``block.previous``.
    whole_curves : bool
        Of a reduction per scan: whether compute needs whole curves of some pixels, as for sums
        over pixels of what curves have in common. The scan is then cut along the detector.
    wants_valid, wants_variance : bool
        Whether blocks bring masks and variances.
    bytes_per_value : int
        Memory that ``compute`` takes for each value of its block, for the memory limit: by
        default three copies in double precision. Compiled loops take next to none.
    Parameters : type of ProcessParameters
        What a user may set.

    Examples
    --------
    >>> from nxscan import Output, Process, ProcessParameters
    >>> class Range(Process):
    ...     "Largest minus smallest count of every pixel."
    ...     per = "pixel"
    ...     class Parameters(ProcessParameters):
    ...         scale: float = 1.0
    ...     def outputs(self, scan):
    ...         return [Output("range", units="counts", default=True)]
    ...     def compute(self, block):
    ...         d = block.data.astype(float)
    ...         return {"range": self.parameters.scale * (d.max(axis=0) - d.min(axis=0))}
    >>> Range(scale=3).name
    'range'

    """

    per: Per
    requires: Sequence[str | Process] = ()
    works_on: ClassVar[Literal["frames", "result"]] = "frames"
    passes: int = 1
    whole_curves: ClassVar[bool] = False
    wants_valid: bool = False
    wants_variance: bool = False
    bytes_per_value: ClassVar[int] = 24

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not is_valid_name(cls.name):
            raise ProcessError(
                f"{cls.__name__}: {cls.name!r} is no NeXus name",
                "use small letters, digits and _, and begin with a letter",
            )

    @abstractmethod
    def outputs(self, scan: Scan) -> Sequence[Output]:
        """Declare what `compute` gives for this scan; refuse what cannot be computed."""

    @abstractmethod
    def compute(self, block: Block) -> Arrays:
        """Return an array for every output, or a reduction's state, of one block.

        It must depend on the block alone: blocks come in any order, in any process. Per
        position, a block may be computed in parts along the positions.
        """

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Join the states of two parts of the scan, ``first`` before ``second``."""
        raise NotImplementedError

    def finish(self, state: Arrays) -> Arrays:
        """Turn the state of all parts into the outputs."""
        return state

    def noise(self, scan: Scan) -> Noise:  # noqa: ARG002  (subclasses look at the scan)
        """Return how the variance of a raw value follows from it; Poisson by default."""
        from nxscan.process.noise import Noise

        return Noise()

    @property
    def is_reduction(self) -> bool:
        """Whether the process merges partial states."""
        return type(self).merge is not Process.merge

    def run(
        self,
        source: str | Path | Result,
        *,
        on: str | None = None,
        into: str | Path | None = None,
        corrections: Sequence[Any] = (),
        executor: str | Executor | Any = "threads",
        workers: int | None = None,
        memory: int | str | None = None,
        fresh: bool = False,
        progress: OnProgress | None = None,
        scan: str | int | None = None,
        detector: str | None = None,
        mapping: str | Path | None = None,
        translator: str | None = None,
        join: str | None = None,
        table: str | Path | None = None,
        where: str | None = None,
    ) -> Result:
        """Analyse a scan, and return the result, which is then in the scan's file.

        What was interrupted goes on from the blocks that are finished; an identical result
        that is there already is returned at once.

        Parameters
        ----------
        source : path or Result
            A master; raw files that a translator opens (a folder, a glob, ``FILE::/5.1``), or
            any NeXus file with a default plot, which a new master then links to; or the result
            of another process.
        on : str, optional
            A result in the file to work on (``"moments/center"``), in place of the frames.
        into : path, optional
            A new master for the result, which links to the frames; for files that cannot
            or must not be changed. Without it, that is ``<name>_results.nxs`` in the current
            folder.
        corrections : sequence of Correction or str
            What the data are read through, in this order (``"dark"``, ``Flat(...)``).
        executor : str or concurrent.futures.Executor
            ``"threads"``, ``"processes"``, ``"dask"``, ``"dask:tcp://..."``, a dask client,
            or any executor.
        workers : int, optional
            How many at once; by default one per core.
        memory : int or str, optional
            Most memory to use (``"2GiB"``); by default a quarter of what is free.
        fresh : bool
            Compute again what has been computed before.
        progress : callable, optional
            Is told how far it is.
        scan, detector, mapping, translator, join, table, where
            Which scan of raw files is meant, as for `nxscan.translate`.

        Raises
        ------
        SourceError, PlanError
            If raw files cannot be opened, or a file cannot lead to their frames.
        ProcessError
            If the process or a correction does not fit the scan, or a compute failed; all
            finished blocks are kept.

        """
        from nxscan.process.raw_source import Choice
        from nxscan.process.run import Settings, run

        settings = Settings(
            on=on,
            into=into,
            corrections=tuple(corrections),
            executor=executor,
            workers=workers,
            memory=memory,
            fresh=fresh,
            progress=progress,
            choice=Choice(scan, detector, mapping, translator, join, table, where),
        )
        return run(self, source, settings)

    @staticmethod
    def from_function(
        function: Callable[..., Any],
        outputs: Sequence[Output],
        *,
        per: Per = "pixel",
        name: str | None = None,
        version: str = "1",
        **parameters: Any,
    ) -> Process:
        """Make a process of a plain function of ``block.data``.

        The function gets the data of a block and the parameters by name, and returns an
        array, several in a tuple, or a mapping of output names to arrays.
        """
        from nxscan.process.function import from_function

        return from_function(function, outputs, per, name, version, parameters)
