"""``nxscan plot``: the default plot as an image."""

from pathlib import Path
from typing import Annotated

import typer

from nxscan.cli import options


def plot(
    file: options.File,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PNG", help="Default: FILE's name in the current directory."
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="H5PATH", help="This NXdata instead of the default plot."),
    ] = None,
    pixel: Annotated[
        str | None,
        typer.Option(
            "--pixel", metavar="Y,X", help="One pixel's curve along the scan, with its fit, if any."
        ),
    ] = None,
    log: Annotated[bool | None, typer.Option("--log/--linear", help="Scale of the colors.")] = None,
) -> None:
    """Draw the default plot as an image.

    Or another one (--path), or one pixel's curve along the scan (--pixel), with what the newest
    rocking_curve, or else moments, in the file found of it.
    """
    where = options.read_pixel(pixel)
    if where is not None and path is not None:
        raise typer.BadParameter("give one of --path and --pixel", param_hint="--pixel")

    from nxscan.view import plot as draw

    target = output or Path(f"{file.stem}.png")
    draw(file, target, h5path=path, pixel=where, log=log)
    typer.echo(target)
