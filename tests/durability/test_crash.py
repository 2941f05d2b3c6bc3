"""The machine stops after any operation of a translation: a whole scan is there, or none.

Every prefix of the operations is replayed with what was not synced kept, lost, torn, or any mix
of these (CRASHES: how many random ones a prefix; a larger number hunts for more).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from durability.scenes import BULK, TARGET, Names, Prepare, Translation, beside, losses, write
from durability.simulator import Disk, Loss, Recorder

from nxscan.nexus.publish import remove_leftovers
from nxscan.validate import validate

# whether frames lie apart: of the scan that is replaced, if there is one, and of the new one
CASES = [(None, False), (None, True), *[(a, b) for a in (False, True) for b in (False, True)]]


@pytest.fixture(params=CASES, ids=str)
def translation(request: pytest.FixtureRequest, tmp_path: Path, prepare: Prepare) -> Translation:
    """Record a translation that replaces nothing, frames in the master, or frames apart."""
    old, new = request.param
    root = tmp_path / "live"
    scans, before = prepare(root, old)
    disk = Disk(root)
    with Recorder(root).watching() as recorder:
        scans["new"] = write(root, 2, new, overwrite=old is not None)
    return Translation(disk, recorder.log, Names(scans, tmp_path), before)


def test_the_log_says_all_that_happened(translation: Translation, tmp_path: Path) -> None:
    for _ in translation.prefixes():
        pass
    state = translation.disk.crash(Loss("kept", "kept"))
    live = {path: path.read_bytes() for path in (tmp_path / "live").rglob("*") if path.is_file()}
    assert {tmp_path / "live" / path: state.content(path) for path in state.files} == live


def test_names_hold_a_whole_scan_or_what_they_held_before(translation: Translation) -> None:
    seen = set()
    for number, operation in translation.prefixes():
        for loss in losses(number, operation, "random", "split"):
            outcome = translation.names.outcome(translation.disk.crash(loss))
            assert outcome in (translation.before, "new"), (number, operation, loss)
            seen.add(outcome)
    assert seen == {translation.before, "new"}


def test_a_scan_that_was_returned_survives_every_crash(translation: Translation) -> None:
    for _ in translation.prefixes():
        pass
    for loss in losses(0, None, "random", "split"):
        assert translation.names.outcome(translation.disk.crash(loss)) == "new", loss


@pytest.mark.parametrize("translation", [(None, False), (True, True)], indirect=True, ids=str)
def test_what_a_crash_leaves_passes_validation(translation: Translation, tmp_path: Path) -> None:
    last = len(translation.log)
    for number, _ in translation.prefixes():
        if number > last - 5:
            translation.names.outcome(translation.disk.crash(Loss("kept", "lost")))
    reports = [validate(look / TARGET, data=True) for look in tmp_path.glob("look-*")]
    assert reports
    assert [finding for report in reports for finding in report.findings] == []


def test_the_next_translation_removes_what_a_crash_left(
    translation: Translation, tmp_path: Path
) -> None:
    seen = set()
    for number, operation in translation.prefixes():
        if operation is None or (operation.name in BULK and number % 60):
            continue
        for loss in losses(number, operation, "random"):
            root = tmp_path / f"left-{number}-{loss.names}-{loss.data}-{loss.seed}"
            state = translation.disk.crash(loss)
            if state.key() in seen:
                continue
            seen.add(state.key())
            root.mkdir()
            state.lay_down(root)
            remove_leftovers(root / TARGET)
            assert beside(root / TARGET) == [], (number, operation, loss)
            if len(seen) % 20 == 0:
                write(root, 3, True, overwrite=True)
                assert beside(root / TARGET) == []
            shutil.rmtree(root)
