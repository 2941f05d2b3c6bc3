"""``nxscan demo``: the whole way, from simulated facility files to plots."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from nxscan.cli.render import command_line, echo, table

_ABOUT = "This folder was made by 'nxscan demo', which renews it when it is run again.\n"
_FRAMES, _SHAPE, _DARKS, _SEED = 61, (256, 256), 5, 1
_MADE = (
    "raw",
    "camera.nxs",
    "ideal.nxs",
    "camera.png",
    "camera_pixel.png",
    "camera_center.png",
)


def demo(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIRECTORY", help="Where to; it is made if it is missing."),
    ] = Path("nxscan-demo"),
) -> None:
    """Simulate a scan, then translate, analyze, validate and plot it.

    Needs no data and no network. Every step is shown as the command that does it.
    """
    _renew(directory)
    raw, camera, ideal = directory / "raw", directory / "camera.nxs", directory / "ideal.nxs"
    _simulate(raw)
    _run("inspect", raw / "camera")
    _run("translate", raw / "camera", "-o", camera)
    _run("translate", raw / "ideal", "-o", ideal)
    _run("info", camera)
    _run("plot", camera, "-o", directory / "camera.png")
    _run("plot", camera, "--pixel", "128,128", "-o", directory / "camera_pixel.png")
    _run("run", "moments", camera, "-c", "dark")
    _run("plot", camera, "-o", directory / "camera_center.png")
    _run("validate", camera, ideal)
    _say_what_next(camera)


def _renew(directory: Path) -> None:
    """Make the folder, or empty it of what an earlier demo wrote there and of nothing else."""
    from nxscan.errors import OutputError

    about = directory / "README.txt"
    ours = about.is_file() and about.read_text(encoding="utf-8") == _ABOUT
    if directory.exists() and not ours and (directory.is_file() or any(directory.iterdir())):
        raise OutputError(
            f"{directory} is there already and was not made by nxscan demo",
            "name a new folder: nxscan demo DIRECTORY",
        )
    for path in (directory / name for name in _MADE):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    about.write_text(_ABOUT, encoding="utf-8")


def _simulate(raw: Path) -> None:
    """Write the same crystal as two cameras see it: a real one, and one that only counts."""
    import numpy as np

    from nxscan.simulate import Camera, crystal, rocking_scan, write_edf

    height, width = _SHAPE
    typer.echo(
        f"Simulating a rocking scan of a deformed crystal, {_FRAMES} frames of {height} × {width}, "
        "as EDF files:\nonce with a real camera (offset, gain, noise, hot pixels; with dark "
        "frames), once with\nan ideal one that only counts photons."
    )
    sample, mu = crystal(_SHAPE, _SEED), np.linspace(-0.3, 0.3, _FRAMES)
    for name, camera, darks in (("camera", Camera(), _DARKS), ("ideal", Camera.ideal(), 0)):
        scan = rocking_scan(sample, mu=mu, camera=camera, seed=_SEED, jitter=2e-4)
        write_edf(scan, raw / name, darks=darks)


def _run(*arguments: str | Path) -> None:
    """Show a command line, and run exactly that."""
    from nxscan.cli import app

    words = [str(argument) for argument in arguments]
    typer.secho(f"\n$ {command_line(['nxscan', *words])}", bold=True)
    status = app(words, standalone_mode=False)
    if status:
        raise typer.Exit(status)


def _say_what_next(camera: Path) -> None:
    typer.secho("\nWhat to try next", bold=True)
    ways = [
        (["nxscan", "view", str(camera)], "look at it in the silx view"),
        (["nxscan", "plot", str(camera), "--log"], "the same plot, logarithmic"),
        (["nxscan", "inspect", "RAW"], "what your own files hold, nothing is written"),
        (["nxscan", "translate", "RAW", "-o", "scan.nxs"], "translate them"),
    ]
    echo(table([(command_line(words), why) for words, why in ways]))
    typer.echo(
        "and in Python\n"
        f"  import nxscan\n"
        f"  scan = nxscan.open({str(camera)!r})\n"
        f"  scan.frame(mu=0.1)        # the frame taken there\n"
        f"  scan.pixel(128, 128)      # one pixel's rocking curve"
    )
