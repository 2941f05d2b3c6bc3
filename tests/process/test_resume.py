"""How an interrupted run goes on is told as a command that can be typed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from helpers.plugins import CUT, RANGE, install_package

from nxscan.process import Output, Process
from nxscan.process.registry import find_correction, find_process, make_process
from nxscan.process.resume import resume_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the quotes are those of sh")
FILE = Path("my scan.nxs")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_installed_process_is_called_by_its_name(here):
    install_package(here, "lab_resume", RANGE, "[nxscan.processes]\nspread = lab_resume:Range\n")
    text = resume_text(find_process("spread")(scale=3), FILE)
    assert text == "nxscan run spread 'my scan.nxs' -p scale=3.0"


def test_a_module_s_class_is_called_with_its_corrections(here):
    (here / "my_resume.py").write_text(RANGE + CUT)
    chain = [find_correction("my_resume:Cut:high=3,levels=1,2"), find_correction("my_resume:Cut")]
    text = resume_text(
        find_process("my_resume:Range")(), FILE, into=Path("out.nxs"), on="sum", corrections=chain
    )
    assert shlex.split(text) == [
        *("nxscan", "run", "my_resume:Range", "my scan.nxs"),
        *("-c", "my_resume:Cut:high=3.0,levels=[1, 2]", "-c", "my_resume:Cut"),
        *("--on", "sum", "--into", "out.nxs"),
    ]
    assert find_correction("my_resume:Cut:high=3.0,levels=[1, 2]").parameters == chain[0].parameters


def test_a_file_s_class_is_called_by_the_file_and_makes_the_same_process(here):
    (here / "other_resume.py").write_text(RANGE)
    made = find_process("other_resume.py:Range")(scale=0.1)
    words = shlex.split(resume_text(made, FILE))
    assert Path(words[2].rpartition(":")[0]) == (here / "other_resume.py").resolve()
    assert words[4:] == ["-p", "scale=0.1"]
    assert make_process(words[2], {"scale": "0.1"}).parameters == made.parameters


def test_what_no_command_can_say_is_left_to_the_notebook():
    made = Process.from_function(lambda d: d[0], [Output("first")])
    text = resume_text(made, FILE, into=Path("out.nxs"))
    assert text == (
        "the process 'first' again, as it was called: .run('my scan.nxs', into='out.nxs')"
    )
