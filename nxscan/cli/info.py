"""``nxscan info``: what a file holds, as a person would read it."""

import typer

from nxscan.cli import options


def info(file: options.File) -> None:
    """Print what a file holds.

    Axes with ranges, steps and units, size, sources, results.
    """
    from nxscan.view import info as describe

    typer.echo(describe(file))
