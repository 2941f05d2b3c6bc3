"""The command line: one small module per verb, each of which imports what it needs when it runs."""

import sys
from typing import Annotated

import typer

from nxscan.cli import (
    demo,
    info,
    inspect,
    layers,
    plot,
    processes,
    relink,
    replay,
    run,
    status,
    translate,
    translators,
    validate,
    view,
)
from nxscan.cli.messages import end_in_order, guarded, print_anything, show_log, show_warnings
from nxscan.cli.verb import Verb

app = typer.Typer(
    name="nxscan",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb in (
    inspect.inspect,
    translate.translate,
    validate.validate,
    info.info,
    run.run,
    replay.replay,
    status.status,
    layers.layers,
    plot.plot,
    view.view,
    relink.relink,
    translators.translators,
    processes.processes,
    demo.demo,
):
    app.command(cls=Verb, no_args_is_help=False)(guarded(verb))


def _print_version(wanted: bool) -> None:
    if wanted:
        import nxscan

        typer.echo(f"nxscan {nxscan.__version__}")
        raise typer.Exit


@app.callback()
def _nxscan(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Translate, validate, analyze and view scanning X-ray data as NeXus and USID.

    SOURCE is a file, a folder or a glob; it is never written to.
    Results go to stdout, progress and messages to stderr.
    Exit status: 0 done, 1 a finding or a refused job, 2 wrong usage.
    """
    show_log()


def main() -> None:
    """Run the command line."""
    end_in_order()
    show_warnings()
    print_anything()
    sys.exit(app(prog_name="nxscan"))
