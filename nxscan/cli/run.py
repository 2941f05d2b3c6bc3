"""``nxscan run``: an analysis of a scan, whose result goes into its file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscan.cli import options
from nxscan.cli.messages import INTERRUPTED, Ended, fail
from nxscan.cli.render import command_line

if TYPE_CHECKING:
    from nxscan.cli.run_progress import RunBar
    from nxscan.process import RunProgress


def run(
    process: Annotated[
        str,
        typer.Argument(
            metavar="PROCESS",
            help="Name (see nxscan processes), module:Class or path/file.py:Class; not there "
            "with --workflow.",
            show_default=False,
        ),
    ],
    file: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|SOURCE",
            help="NeXus files with frames, or raw files, which stay as they are.",
            show_default=False,
        ),
    ] = None,
    workflow: Annotated[
        Path | None,
        typer.Option(
            "--workflow",
            metavar="FILE.toml|NAME",
            help="Run the processes written there, or a chain that comes with nxscan: mosaicity.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="OUT.nxs", help="Leave FILE alone; a new file gets the result."
        ),
    ] = None,
    scan: options.ScanNumber = None,
    detector: options.Detector = None,
    mapping: options.MappingFile = None,
    translator: options.TranslatorName = None,
    join: options.Join = None,
    table: options.Table = None,
    where: options.Where = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a parameter."),
    ] = None,
    correction: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--correction",
            metavar="NAME[:KEY=V,KEY=V]",
            help="Read the frames through this; in the order given.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="RESULT", help="Work on a result (moments/center)."),
    ] = None,
    executor: Annotated[
        str,
        typer.Option("--executor", metavar="NAME", help="threads, processes or dask[:ADDRESS]."),
    ] = "threads",
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Default: one per core.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="2GiB", help="Default: a quarter of what is free."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what has been computed before.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Analyze a scan, and put the result into its file.

    What was interrupted goes on from the finished blocks when the same command is given
    again; a result that is there already is shown at once. The frames are never changed.
    Results of raw files go into a new file that leads to their frames (--into).
    """
    if workflow is not None:
        refuse_with_workflow({"-p": parameter, "-c": correction, "--on": on})
    files = files_to_run(process, file, workflow, into)
    parameters = _read_parameters(parameter or [])
    command = Command(
        [] if workflow is not None else [process],
        {
            "--workflow": workflow,
            "-p": parameter, "-c": correction, "--on": on, "--into": into, "--scan": scan,
            "--detector": detector, "--mapping": mapping, "--translator": translator,
            "--join": join, "--table": table, "--where": where,
            "--executor": None if executor == "threads" else executor, "--workers": workers,
            "--memory": memory, "--fresh": fresh, "--json": json,
        },
    )  # fmt: skip

    from nxscan.cli.run_progress import RunBar
    from nxscan.cli.run_result import print_result
    from nxscan.cli.workflow import run_each
    from nxscan.process.registry import find_correction, make_process

    common: dict[str, Any] = {
        "into": into, "executor": executor, "workers": workers, "memory": memory, "fresh": fresh,
    }  # fmt: skip
    raw: dict[str, Any] = {
        "scan": scan, "detector": detector, "mapping": mapping, "translator": translator,
        "join": join, "table": table, "where": where,
    }  # fmt: skip
    if workflow is not None:
        run_each(workflow, files, command, common, raw, json=json)
        return
    chosen = make_process(process, parameters)
    chain = [find_correction(text) for text in correction or []]
    for one in files:
        refuse_missing(one)
    for one in files:
        with resumable(RunBar(), command.on(one), fresh=fresh) as bar:
            result = chosen.run(one, on=on, corrections=chain, progress=bar, **common, **raw)
        print_result(result, json=json)


@dataclass(frozen=True)
class Command:
    """The command that was typed, so that it can be told again."""

    words: Sequence[str]
    options: Mapping[str, Any]

    def on(self, file: str) -> str:
        """Return the command for a file."""
        words = ["nxscan", "run", *self.words, file]
        for name, value in self.options.items():
            for one in value if isinstance(value, list) else [value]:
                if one is True:
                    words.append(name)
                elif one is not None and one is not False:
                    words += [name, str(one)]
        return command_line(words)


def _read_parameters(texts: Sequence[str]) -> dict[str, str]:
    """Read ``-p name=value``; what cannot be read is wrong usage."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise typer.BadParameter(f"{text!r} is not name=value", param_hint="-p")
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()!r} is given twice", param_hint="-p")
        found[name.strip()] = value.strip()
    return found


@contextmanager
def resumable(bar: "RunBar", command: str, *, fresh: bool) -> Iterator["RunBar"]:
    """Say of an interrupted run how far it came, and how it goes on."""
    try:
        with bar:
            yield bar
    except Ended as ended:
        fail(f"ended by a signal {_go_on(bar.last, command, fresh)}", 128 + ended.args[0])
    except KeyboardInterrupt:
        fail(f"interrupted {_go_on(bar.last, command, fresh)}", INTERRUPTED)


def _go_on(last: "RunProgress | None", command: str, fresh: bool) -> str:
    if last is None:
        return f"before anything was computed; to run it:\n  {command}"
    where = f"after {last.blocks_done} of {last.blocks_total} blocks"
    if last.stage == "commit":
        where = f"while the result was being stored, {where}"
    if fresh:
        return f"{where}; the same command begins anew, because of --fresh:\n  {command}"
    return f"{where}; the same command goes on from there:\n  {command}"


def refuse_with_workflow(given: Mapping[str, Any]) -> None:
    """Refuse what a workflow says itself."""
    for name, value in given.items():
        if value:
            raise typer.BadParameter(
                "the workflow says it for each of its steps", param_hint=f"{name} with --workflow"
            )


def files_to_run(
    first: str, rest: list[str] | None, workflow: Path | None, into: Path | None
) -> list[str]:
    """Return the files that are meant; with a workflow, the first word is one."""
    files = [*([first] if workflow is not None else []), *(rest or [])]
    if not files:
        raise typer.BadParameter("name a file with frames", param_hint="FILE|SOURCE")
    if into is not None and len(files) > 1:
        raise typer.BadParameter("one file for the results of several", param_hint="--into")
    return files


def refuse_missing(file: str) -> None:
    """Raise FileNotFoundError if a source is not there; globs are looked at later."""
    name = file.partition("::")[0]
    if not Path(name).exists() and not any(letter in name for letter in "*?["):
        raise FileNotFoundError(2, "no such file", name)
