"""The options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

from nxscan.errors import PlanError

Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE", help="Files, folders or globs.", show_default=False),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A NeXus file.", show_default=False)]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="NeXus files.", show_default=False)
]
ScanNumber = Annotated[
    str | None, typer.Option("--scan", metavar="N", help="The scan with this number.")
]
TranslatorName = Annotated[
    str | None,
    typer.Option("--translator", metavar="NAME", help="Use this one (see nxscan translators)."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping", metavar="FILE", help="A mapping file that extends or replaces the built-in."
    ),
]
NewMapping = Annotated[
    Path | None,
    typer.Option(
        "--new-mapping", metavar="FILE", help="Write a first draft of a mapping for an HDF5 file."
    ),
]
Axes = Annotated[
    str | None,
    typer.Option("--axes", metavar="A=N,B=M", help="Scan axes with lengths, slow to fast."),
]
Dark = Annotated[
    list[str] | None, typer.Option("--dark", metavar="SOURCE", help="Frames to keep as dark.")
]
Flat = Annotated[
    list[str] | None, typer.Option("--flat", metavar="SOURCE", help="Frames to keep as flat.")
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Take a scan although frames are missing.")
]
Detector = Annotated[
    str | None,
    typer.Option(
        "--detector", metavar="NAME", help="The detector or counter that is the main signal."
    ),
]
Live = Annotated[
    bool, typer.Option("--live", help="Take what is there of a scan that is still being written.")
]
Join = Annotated[
    str | None,
    typer.Option("--join", metavar="5-30|all", help="Several scans as one, with a slow axis."),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table", metavar="FILE", help="Where each frame was taken: CSV, SPEC or MDA (FILE::/12)."
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="COLUMN==N", help="Take only these frames; `and` joins conditions."
    ),
]
Link = Annotated[
    bool | None,
    typer.Option(
        "--link/--copy",
        help="Leave the frames where they are, or copy them. HDF5 is linked unless told.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def read_axes(text: str | None) -> dict[str, int] | None:
    """Read ``--axes``; what cannot be read is wrong usage."""
    from nxscan.plan import parse_axes

    try:
        return None if text is None else parse_axes(text)
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--axes") from None


def read_pixel(text: str | None) -> tuple[int, int] | None:
    """Read ``--pixel Y,X``; what cannot be read is wrong usage."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r} is not Y,X such as 120,64", param_hint="--pixel")
    return int(parts[0]), int(parts[1])
