"""``nxscan replay``: results computed once more, and compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscan.cli import options
from nxscan.cli.render import echo, paragraph, print_json

if TYPE_CHECKING:
    from nxscan.process.replay import Replayed


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file with results.", show_default=False)
    ],
    result: Annotated[
        list[str] | None,
        typer.Option(
            "--result", metavar="NAME", help="Only this one (moments, moments_000); by default all."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Default: one per core.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="2GiB", help="Default: a quarter of what is free."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Run the recorded chain of each result again, and compare.

    The file is only read. Exit status 1 if a result comes out differently, or cannot be
    computed any more.
    """
    from nxscan.cli.run_progress import RunBar
    from nxscan.process.replay import replay as again
    from nxscan.process.settings import Settings

    with RunBar() as bar:
        settings = Settings(workers=workers, memory=memory, progress=bar)
        found = list(again(file, tuple(result or ()), settings))
    if json:
        print_json([_plain(one) for one in found])
    else:
        for one in found:
            _show(one)
    if not all(one.same for one in found):
        raise typer.Exit(1)


def _show(found: "Replayed") -> None:
    group = found.result.group
    if found.problem:
        echo(paragraph(f"{group}: cannot be computed: {found.problem}"))
        return
    said = "the same, bit for bit" if found.same else "different"
    typer.echo(f"{group}: {said}" + (f" ({found.note})" if found.note else ""))
    for one in found.differences:
        typer.echo(
            f"  {one.name}: {one.values} of {one.total} values, by {one.largest:.3g} at most"
        )


def _plain(found: "Replayed") -> dict[str, Any]:
    return {
        "result": found.result.group,
        "same": found.same,
        "problem": found.problem,
        "note": found.note,
        "differences": [vars(one) for one in found.differences],
    }
