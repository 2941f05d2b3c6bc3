"""``nxscan relink``: linked originals have moved."""

from pathlib import Path
from typing import Annotated

import typer

from nxscan.cli import options


def relink(
    file: options.File,
    old: Annotated[
        Path | None,
        typer.Option("--from", metavar="A", help="The folder where the originals were."),
    ] = None,
    new: Annotated[
        Path | None, typer.Option("--to", metavar="B", help="The folder where they are now.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Take files whose time of change differs, if the size is the same."
        ),
    ] = False,
) -> None:
    """Have a linked file lead to originals that have moved.

    Every path that begins with A begins with B afterwards; results stay. Without --from and
    --to, every path becomes the one where nxscan finds the file now: after file and originals
    were moved together, other programs find them again, too. Files that have changed are
    refused; a program that opened one for writing, and only read it, has changed its time:
    --accept says that this is all.
    """
    if (old is None) != (new is None):
        raise typer.BadParameter("give both of --from and --to, or none", param_hint="--from")
    import nxscan

    count = nxscan.relink(file, old, new, accept=accept)
    files = "1 file" if count == 1 else f"{count} files"
    typer.echo(f"{file}: {files} relinked")
