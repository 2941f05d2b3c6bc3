"""What goes to stderr: errors without tracebacks, and the library's log."""

import functools
import io
import logging
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from nxscan.errors import NxscanError

P = ParamSpec("P")

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class Ended(KeyboardInterrupt):
    """A signal asked the program to end; ``args`` has its number."""


def end_in_order() -> None:
    """Have signals that would end the process at once end it as Ctrl-C does: cleaned up.

    They come from batch systems at a job's time limit, and from a terminal that is closed. One
    that is ignored (``nohup``) stays so.
    """

    def end(number: int, _: object) -> None:
        raise Ended(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def guarded(verb: Callable[P, None]) -> Callable[P, None]:
    """Wrap a verb so that whatever goes wrong ends in one message and an exit status.

    With ``NXSCAN_DEBUG`` in the environment the exception goes through, traceback and all.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except Ended as ended:
            fail("ended by a signal, nothing unfinished was written", 128 + ended.args[0])
        except KeyboardInterrupt:
            fail("interrupted, nothing unfinished was written", INTERRUPTED)
        except Exception as error:
            if os.environ.get("NXSCAN_DEBUG"):
                raise
            fail(f"error: {explain(error)}")

    return run


def fail(message: str, status: int = 1) -> NoReturn:
    """Say what went wrong on stderr, and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(status)


def explain(error: Exception) -> str:
    """Return one clear message for any exception."""
    if isinstance(error, NxscanError):
        separator = "\n" if "\n" in error.message else "; "
        return separator.join(part for part in (error.message, error.hint) if part)
    if isinstance(error, OSError):
        names = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return f"{names}: {error.strerror or error}" if names else str(error)
    return _unexpected(error)


def _unexpected(error: Exception) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="nxscan-error-", suffix=".txt", encoding="utf-8", delete=False
    ) as file:
        traceback.print_exception(error, file=file)
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        f"This is a fault of nxscan. Please report it, with the file {file.name}"
    )


class _Echo(logging.Handler):
    """Passes the library's log on to stderr, wherever that is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        prefix = "" if text.startswith("warning:") else f"{record.levelname.lower()}: "
        typer.echo(text if record.levelno < logging.WARNING else prefix + text, err=True)


def show_log() -> None:
    """Show what the library logs, from INFO upwards."""
    logger = logging.getLogger("nxscan")
    if not any(isinstance(handler, _Echo) for handler in logger.handlers):
        logger.addHandler(_Echo())
    logger.setLevel(logging.INFO)


def show_warnings() -> None:
    """Show Python warnings as one line each, without the code that raised them."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        typer.echo(f"warning: {message}", err=True)

    warnings.showwarning = show


def print_anything() -> None:
    """Have what a terminal or pipe cannot encode written as an escape, not end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
