"""``nxscan layers``: results of several scans as one volume."""

from pathlib import Path
from typing import Annotated

import typer

from nxscan.cli import options


def layers(
    files: options.Files,
    output: Annotated[
        list[Path],
        typer.Option(
            "--output", "-o", metavar="OUT", help="OUT.nxs, OUT.vti or OUT.vtr; more than once."
        ),
    ],
    result: Annotated[
        str, typer.Option("--result", metavar="NAME", help="A result, or a process.")
    ] = "moments",
    map_: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME", help="One of its maps; default: what it plots."),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register/--no-register", help="Undo shifts between layers.")
    ] = True,
    motor: Annotated[
        str | None, typer.Option("--motor", metavar="NAME", help="The motor that is the height.")
    ] = None,
    spacing: Annotated[
        float | None,
        typer.Option("--spacing", metavar="UM", help="Or the distance of layers, in micrometers."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json: options.Json = False,
) -> None:
    """Put maps of several layers together to a volume.

    Each file has the same result of one layer. Layers are registered in their plane and put
    one above the other; .vti and .vtr open in ParaView.
    """
    from nxscan.analysis.layers import stack_layers
    from nxscan.cli.render import echo, print_json, table

    volume = stack_layers(files, result, map_, register=register, motor=motor, spacing=spacing)
    written = [volume.write(path, overwrite=overwrite) for path in output]
    if json:
        print_json(
            {
                "layers": [
                    {"path": str(path), "z": z, "shift": shift.tolist(), "error": error.tolist()}
                    for path, z, shift, error in zip(
                        volume.paths, volume.z.values, volume.shifts, volume.errors, strict=True
                    )
                ],
                "z_units": volume.z.units,
                "written": [str(path) for path in written],
            }
        )
        return
    rows = [
        (f"{z:g}", f"{y:+.2f}", f"{x:+.2f}", path.name)
        for z, (y, x), path in zip(volume.z.values, volume.shifts, volume.paths, strict=True)
    ]
    z = f"z ({volume.z.units})" if volume.z.units else "z"
    echo(table(rows, (z, "shift y", "shift x (pixel)", "layer")))
    for path in written:
        typer.echo(path)
