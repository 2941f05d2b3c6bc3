"""``nxscan translate``: raw files into NeXus."""

from typing import Annotated

import typer

from nxscan.cli import options


def translate(
    source: options.Sources,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="OUT.nxs|DIR/", help="The master file, or a folder for it."
        ),
    ],
    scan: options.ScanNumber = None,
    scans: Annotated[
        str | None,
        typer.Option("--scans", metavar="5-30|all", help="Several scans, one master each."),
    ] = None,
    translator: options.TranslatorName = None,
    mapping: options.MappingFile = None,
    axes: options.Axes = None,
    dark: options.Dark = None,
    flat: options.Flat = None,
    partial: options.Partial = False,
    detector: options.Detector = None,
    link: options.Link = None,
    live: options.Live = False,
    join: options.Join = None,
    table: options.Table = None,
    where: options.Where = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an output that exists.")
    ] = False,
) -> None:
    """Translate raw files into NeXus.

    The output gets its name only when it is complete and valid. Several scans (--scans) go
    to a folder, one master each; those that are there already are kept.
    """
    if sum(one is not None for one in (scan, scans, join)) > 1:
        raise typer.BadParameter("give one of --scan, --scans and --join", param_hint="--scans")
    shape = options.read_axes(axes)

    import nxscan
    from nxscan.cli.progress import ProgressBar

    with ProgressBar() as progress:
        if scans is not None:
            paths = nxscan.translate_all(
                source, output, scans=scans, translator=translator, mapping=mapping, axes=shape,
                dark=dark, flat=flat, partial=partial, detector=detector, link=link, live=live,
                table=table, where=where,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
        else:
            path = nxscan.translate(
                source, output, scan=scan, translator=translator, mapping=mapping, axes=shape,
                dark=dark, flat=flat, partial=partial, detector=detector, link=link, live=live,
                table=table, where=where,
                join=join, overwrite=overwrite, progress=progress,
            )  # fmt: skip
            paths = [path]
    for path in paths:
        typer.echo(path)
