"""``nxscan validate``: is everything right with a file."""

from typing import Annotated

import typer

from nxscan.cli import options
from nxscan.cli.render import print_json


def validate(
    file: options.Files,
    data: Annotated[
        bool, typer.Option("--data", help="Read every frame and compare its checksum.")
    ] = False,
    show_all: Annotated[
        bool,
        typer.Option("--all", help="Show every path, and what was set aside with the reasons."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Check whether anything is wrong with a file.

    By nexusformat, punx, silx's and USID's rules, and by checks that none of them makes.
    Exit status 0 only if nothing is wrong in any of the files.
    """
    import nxscan

    reports = []
    for path in file:
        report = nxscan.validate(path, data=data)
        reports.append(report)
        if not json:
            typer.echo(report.text(all=show_all))
    if json:
        print_json([report.to_dict() for report in reports])
    if not all(report.ok for report in reports):
        raise typer.Exit(1)
