"""Runs nexusformat's validator over one file in a process of its own; writes JSON.

Run as a script: ``python nexusformat_process.py FILE FOLDER``, where the folder has NXDL that NeXus
has not: entries name those in ``translation/parameters``. It knows nothing of nxscan. A process of
its own, because the validator keeps its state in module variables and one logger, and opens
files with other HDF5 locking flags than nxscan, which HDF5 refuses within one process.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"(Field|Link|Group|NX\w*): (.*)")
_ATTRIBUTE = re.compile(r'"@(.+)" is not defined as an attribute in (NX\w+)')
_INDENT = 4
_OWN = "translation/parameters/application_definition"

Line = list[str]
"""Severity, path, rule, message."""


def run(path: str, folder: str = "") -> dict[str, Any]:
    """Validate one file: its base classes, and each entry that names an application definition."""
    from nexusformat.nexus import NeXusError, nxload, validate

    validate.get_validator = _separate(validate.get_validator)
    validate.logger.setLevel(logging.WARNING)
    validate.logger.total = {"warning": 0, "error": 0}
    found: list[Line] = []

    def capture(rule: str, where: str, check: Callable[[], None]) -> None:
        validate.logger.handlers[:] = [_Collector(found, rule, where)]
        try:
            check()
        except NeXusError as error:
            found.append(["error", where, rule, str(error)])
        except Exception as error:  # it raises many kinds on a damaged or unusual file
            message = f"nexusformat stopped with {type(error).__name__}: {error}"
            found.append(["error", where, "validator crash", message])
        validate.field_validator.logged_messages = []

    def everything() -> None:
        # validate_file would open the file, and those that it links to, for writing
        root = nxload(path, "r")
        with root.nxfile:
            capture("NeXus base class", "/", partial(_base_classes, validate, root, path))
            for entry in root.NXentry:
                for application in _definitions(entry, folder):
                    rule, where = "application definition", str(entry.nxpath)
                    capture(rule, where, partial(_application, validate, entry, application))

    capture("readable by nexusformat", "/", everything)
    return {"findings": found}


def _base_classes(validate: Any, root: Any, path: str) -> None:
    whole = validate.FileValidator(path)
    validator = validate.get_validator(root.nxclass, definitions=whole.definitions)
    validator.validate(root, parent=whole)
    whole.output_log()


def _definitions(entry: Any, folder: str) -> list[str]:
    """Return the application definitions that an entry names: NeXus' own, or files."""
    found = [str(entry["definition"].nxvalue)] if "definition" in entry else []
    if _OWN in entry and folder:
        found.append(str(Path(folder) / f"{entry[_OWN].nxvalue}.nxdl.xml"))
    return found


def _application(validate: Any, entry: Any, application: str) -> None:
    validate.ApplicationValidator(application).validate(entry)


def _separate(get_validator: Callable[..., Any]) -> Callable[..., Any]:
    """Have a validator object for each group.

    nexusformat shares one between all groups of a class; where such a group lies in another
    of its class, all that was found in both is lost (measured with 2.1.0).
    """

    def separate(nxclass: str, definitions: Any = None) -> Any:
        validator = copy.copy(get_validator(nxclass, definitions=definitions))
        validator.logged_messages = []
        validator.symbols = dict(validator.symbols)
        return validator

    return separate


class _Collector(logging.Handler):
    """Turns log lines into findings: the indentation says which header a line is under."""

    def __init__(self, found: list[Line], rule: str, where: str) -> None:
        super().__init__()
        self.found = found
        self._rule = rule
        self._where = where
        self._headers: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        text = line.strip()
        indent = (len(line) - len(line.lstrip(" "))) // _INDENT
        if record.levelno >= logging.CRITICAL:
            self._header(indent, text)
        elif text and not self._continues(text):
            self._add("error" if record.levelno >= logging.ERROR else "warning", indent, text)

    def _header(self, indent: int, text: str) -> None:
        match = _HEADER.match(text)
        if match:
            self._headers = [header for header in self._headers if header[0] < indent]
            self._headers.append((indent, match[2] if match[1] != "Group" else text))

    def _continues(self, text: str) -> bool:
        """Join the list that follows ``Values for "i" are not unique`` to that line."""
        last = self.found[-1][-1] if self.found else ""
        if "are not unique" not in last or not re.fullmatch(r"\w+: \d+", text):
            return False
        separator = "; " if ": " in last else ": "
        self.found[-1][-1] = f"{last}{separator}{text.replace(': ', ' has ')}"
        return True

    def _add(self, severity: str, indent: int, text: str) -> None:
        above = [where for level, where in self._headers if level < indent]
        path = next((where for where in reversed(above) if where.startswith("/")), self._where)
        if above and not above[-1].startswith("/"):
            text = f"{above[-1]}: {text}"
        attribute = _ATTRIBUTE.fullmatch(text)
        if attribute:  # told apart by path, so that a report lists alike ones together
            path = f"{path}@{attribute[1]}"
            text = f"this attribute is not defined in {attribute[2]}"
        elif text.endswith("is an invalid name"):
            text = "this name is not valid in NeXus"
        self.found.append([severity, path, self._rule, text])


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = run(*sys.argv[1:])
    sys.stdout.write(json.dumps(result))
