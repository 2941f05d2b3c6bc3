"""What goes to a worker in another process, and what comes back: calls and their outcomes.

Both are made bytes here: an argument or an exception that cannot be read on the other side is
then an error of one call, where it would break a whole pool.
"""

from __future__ import annotations

import logging
import pickle
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle

from nxscan.errors import ProcessError
from nxscan.process.blas import OneBlasThread

_log = logging.getLogger(__name__)


class RemoteTraceback(Exception):  # noqa: N818  it is told as the cause, and not raised
    """The traceback that an exception had in a worker; the cause of the one that is raised."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


@dataclass(frozen=True)
class Outcome:
    """What a call in a worker came to.

    Attributes
    ----------
    value : object
        What it returned.
    error : bytes
        What it raised, pickled; empty if nothing, or if that cannot be pickled.
    message : str
        What it raised, as text; empty if nothing.
    trace : str
        With its traceback.

    """

    value: Any = None
    error: bytes = b""
    message: str = ""
    trace: str = ""

    def get(self) -> Any:
        """Return the value, or raise what the call raised, as it was."""
        if not self.message:
            return self.value
        _log.debug("in a worker: %s", self.trace)
        raise self._error() from RemoteTraceback(self.trace)

    def _error(self) -> BaseException:
        try:
            found = pickle.loads(self.error)  # noqa: S301  our own worker's
        except Exception:
            found = None
        return found if isinstance(found, BaseException) else ProcessError(self.message)


def pack(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Return a call as bytes for `work`."""
    found: bytes = cloudpickle.dumps((function, arguments))
    return found


def work(payload: bytes) -> Outcome:
    """Do a call in a worker, with BLAS held to one thread."""
    try:
        function, arguments = pickle.loads(payload)  # noqa: S301  our own parent's
        with OneBlasThread():
            return Outcome(function(*arguments))
    except Exception as error:
        return _failure(error)
    except SystemExit as error:  # a compute that ends its worker would look like a crash
        return _failure(ProcessError(f"a block's compute called exit({error.code})"))


def _failure(error: Exception) -> Outcome:
    message = f"{type(error).__name__}: {error} (on {socket.gethostname()})"
    return Outcome(error=_pickled(error), message=message, trace=_trace(error))


def _pickled(error: Exception) -> bytes:
    """Return an exception as bytes that give it back; empty if that cannot be."""
    for form in (error, _Parts(type(error), error.args, dict(vars(error)))):
        try:
            found: bytes = cloudpickle.dumps(form)
            pickle.loads(found)  # noqa: S301  many exceptions can be written, but not read
        except Exception:
            _log.debug("cannot be pickled: %r", form)
        else:
            return found
    return b""


class _Parts:
    """An exception whose class is not called with what `args` holds, as it is made again."""

    def __init__(self, kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> None:
        self._new = (kind, args, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, self._new


def _made_again(
    kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]
) -> BaseException:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
