"""``nxscan status``: runs that are not finished, and how they go on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscan.cli import options
from nxscan.cli.render import command_line, echo, print_json, table, when

if TYPE_CHECKING:
    from nxscan.process.status import RunStatus


def status(
    file: options.File,
    drop: Annotated[
        int | None,
        typer.Option(
            "--drop", metavar="N", min=1, help="Remove the finished blocks of run N of the list."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the runs of a file that are not finished.

    How far each is, since when, whether it is running, and how it goes on.
    """
    from nxscan.process.status import unfinished

    runs = unfinished(file)
    if not runs and not file.exists():
        raise FileNotFoundError(2, "no such file", str(file))
    if drop is not None:
        _drop(file, runs, drop)
    elif json:
        print_json([_plain(number, one) for number, one in enumerate(runs, 1)])
    else:
        _show(file, runs)


def _drop(file: Path, runs: "list[RunStatus]", number: int) -> None:
    from nxscan.errors import ProcessError
    from nxscan.process.status import drop

    if number > len(runs):
        raise ProcessError(
            f"{file} has no unfinished run {number}",
            f"it has {len(runs)}: {command_line(['nxscan', 'status', str(file)])}",
        )
    chosen = runs[number - 1]
    drop(chosen)
    typer.echo(f"dropped {chosen.process}: {_progress(chosen)}")


def _show(file: Path, runs: "list[RunStatus]") -> None:
    if not runs:
        typer.echo(f"{file}: no unfinished runs")
        return
    typer.echo(f"{file}: {len(runs)} unfinished run{'s' * (len(runs) != 1)}")
    header = ("", "process", "finished", "begun", "last block", "state")
    echo(table([_row(number, one) for number, one in enumerate(runs, 1)], header))
    for number, one in enumerate(runs, 1):
        if one.owner is None:
            drop = command_line(["nxscan", "status", str(file), "--drop", str(number)])
            on = "it is damaged, and cannot go on" if one.damaged else f"to go on: {one.resume}"
            typer.echo(f"\n  {number}  {on}\n     to drop it: {drop}")


def _row(number: int, run: "RunStatus") -> tuple[str, ...]:
    state = "stopped" if run.owner is None else f"running in {run.owner}"
    return str(number), run.process, _progress(run), when(run.begun), when(run.last), state


def _progress(run: "RunStatus") -> str:
    share = f" ({100 * run.blocks_done // run.blocks_total} %)" if run.blocks_total else ""
    return f"{run.blocks_done} of {run.blocks_total} blocks{share}"


def _plain(number: int, run: "RunStatus") -> dict[str, Any]:
    return {
        "number": number,
        "process": run.process,
        "blocks_done": run.blocks_done,
        "blocks_total": run.blocks_total,
        "begun": run.begun,
        "last": run.last,
        "owner": run.owner,
        "resume": run.resume,
        "damaged": run.damaged,
        "identity": run.identity,
        "folder": str(run.folder),
    }
