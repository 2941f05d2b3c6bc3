"""``nxscan run --workflow``: the processes of a file, on every scan of a series."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from nxscan.cli.run import Command


def run_each(
    workflow: Path,
    files: list[str],
    command: "Command",
    common: dict[str, Any],
    raw: dict[str, Any],
    *,
    json: bool,
) -> None:
    """Run a workflow on each file; what is finished is found, not computed again."""
    from nxscan.cli.run import refuse_missing, resumable
    from nxscan.cli.run_progress import RunBar
    from nxscan.cli.run_result import print_result
    from nxscan.process.raw_source import Choice
    from nxscan.process.settings import Settings
    from nxscan.process.workflow import load_workflow, run_workflow

    found = load_workflow(workflow)
    for file in files:
        refuse_missing(file)
    for number, file in enumerate(files, 1):
        if len(files) > 1 and not json:
            typer.echo(f"{file} ({number} of {len(files)})")
        with resumable(RunBar(), command.on(file), fresh=common["fresh"]) as bar:
            settings = Settings(progress=bar, choice=Choice(**raw), **common)
            results = list(run_workflow(found, file, settings))
        for result in results:
            print_result(result, json=json)
