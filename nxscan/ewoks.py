"""A task that runs any process, for the ESRF's workflow system ewoks (the extra ``ewoks``)."""

# ewokscore says nothing of types
# mypy: disable-error-code="call-arg,misc"

from __future__ import annotations

from typing import Any

try:
    from ewokscore import Task
except ImportError as error:
    raise ImportError(
        "nxscan.ewoks needs ewokscore, which is not installed: pip install 'nxscan[ewoks]'"
    ) from error

__all__ = ["RunProcess"]

_OPTIONS = ("on", "into", "executor", "workers", "memory", "fresh", "scan", "detector")


class RunProcess(
    Task,
    input_names=["process", "source"],
    optional_input_names=["parameters", "corrections", *_OPTIONS],
    output_names=["path", "group"],
):
    """Run a process on a scan; the result is then in the scan's file.

    Inputs are ``process``, its name or ``module:Class``, and ``source``, a master or raw files;
    optional ones ``parameters``, a mapping, ``corrections``, a list as after ``-c`` on the command
    line, and ``on``, ``into``, ``executor``, ``workers``, ``memory``, ``fresh``, ``scan`` and
    ``detector``, as for `nxscan.Process.run`. The outputs are ``path``, the file with the result,
    which a next task takes for its ``source``, and ``group``, the result's name there. A task that
    is run once more finds its result.

    Examples
    --------
    >>> task = RunProcess(inputs={"process": "moments", "source": "scan.nxs"})  # doctest: +SKIP
    >>> task.run()  # doctest: +SKIP
    >>> task.outputs.group  # doctest: +SKIP
    'moments_000'

    """

    def run(self) -> None:
        """Run it.

        Raises
        ------
        NxscanError
            If there is no such process, or as `nxscan.Process.run` does.

        """
        from nxscan.process.registry import find_correction, find_process

        process = find_process(self._given("process"))(**(self._given("parameters") or {}))
        corrections = [find_correction(text) for text in self._given("corrections") or ()]
        options = {name: self._given(name) for name in _OPTIONS}
        chosen = {name: value for name, value in options.items() if value is not None}
        result = process.run(self._given("source"), corrections=corrections, **chosen)
        self.outputs.path = str(result.path)
        self.outputs.group = result.group

    def _given(self, name: str) -> Any:
        return self.get_input_value(name, None)
