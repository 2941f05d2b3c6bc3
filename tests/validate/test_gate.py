"""What a translation's own checks let pass is clean in the validators that others wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.scans import make_scan

import nxscan
from nxscan.nexus import layout
from nxscan.nexus.writer import write_scan
from nxscan.validate import processes, validate, with_nexusformat, with_punx
from nxscan.validate.run import CHECKS


@pytest.fixture(autouse=True)
def as_users_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the validators of others in processes of their own, which all other tests share."""
    for module in (with_nexusformat, with_punx):
        monkeypatch.setattr(module, "run_script", processes.run_script)


@pytest.fixture(params=["made, inside", "made, apart", "edf/medipix.edf"])
def written(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shared_data: Callable[[str], Path],
) -> Path:
    if not request.param.startswith("made"):
        return nxscan.translate(shared_data(request.param), tmp_path / "scan.nxs")
    monkeypatch.setattr(layout, "INLINE_LIMIT", 0 if "apart" in request.param else 2**26)
    return write_scan(make_scan(seed=1)[0], tmp_path / "scan.nxs")


def test_what_our_own_checks_let_pass_is_clean_in_all_others(written: Path) -> None:
    own, every = validate(written, external=False), validate(written)
    assert own.ok
    assert every.findings == own.findings
    apart = {check.name for check in CHECKS if check.apart}
    assert apart == {run.name for run in every.checks} - {run.name for run in own.checks}
