"""Runs punx over one file in a process of its own, and writes what it says as JSON.

Run as a script: ``python punx_process.py FILE``. It knows nothing of nxscan. A process of its
own, because punx imports Qt 5 (which must not meet the Qt 6 of a viewer), reads and creates a
folder in the user's configuration when it starts, and leaves files open.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from typing import Any

NXDL_SET = "v2018.5"
_KEPT = ("ERROR", "WARN", "NOTE")


def run(path: str) -> dict[str, Any]:
    """Validate one file; return findings, or why punx is of no use or how it crashed."""
    with tempfile.TemporaryDirectory(prefix="nxscan-punx-") as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        try:
            from PyQt5.QtCore import QSettings

            # where XDG_CONFIG_HOME is not looked at (Windows)
            QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
            import punx.validate
        except ImportError as error:
            return {"unusable": str(error)}
        return _validate(punx.validate.Data_File_Validator(NXDL_SET), path)


def _validate(validator: Any, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        validator.validate(path)
    except Exception as error:  # punx crashes on many defects: that is a finding
        answer["crash"] = f"{type(error).__name__}: {error}"
    answer["findings"] = [
        [item.status.key, str(item.h5_address), str(item.test_name), str(item.comment)]
        for item in validator.validations
        if item.status.key in _KEPT
    ]
    with contextlib.suppress(Exception):
        validator.close()
    return answer


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = run(sys.argv[1])
    sys.stdout.write(json.dumps(result))
