"""Processes and corrections are found by name, in modules and in files; errors say what to do."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from helpers.plugins import CUT, RANGE, install_package

from nxscan.errors import ProcessError
from nxscan.process import Correction, Process
from nxscan.process.registry import (
    find_any,
    find_correction,
    find_process,
    installed,
    make_process,
)


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    """Leave the path and the modules as they were."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__spec__", None) is None or not name.startswith("nxscan."):
            del sys.modules[name]


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """Return a folder that packages can be put into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Return the current folder, a new one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    importlib.invalidate_caches()
    return folder


def announce(name: str, value: str, group: str = "processes") -> str:
    return f"[nxscan.{group}]\n{name} = {value}\n"


def test_an_installed_process_is_found_by_its_name(site):
    install_package(site, "lab_one", RANGE, announce("spread", "lab_one:Range"))
    found = find_process("spread")
    assert issubclass(found, Process)
    assert found.__module__ == "lab_one"


def test_what_other_packages_bring_is_listed_with_the_package(site):
    install_package(site, "lab_one", RANGE, announce("spread", "lab_one:Range"))
    install_package(site, "lab_cut", CUT, announce("lab_cut", "lab_cut:Cut", "corrections"))
    assert [
        (one.kind, one.reference, one.package)
        for one in installed()
        if one.name in ("spread", "lab_cut")
    ] == [
        ("process", "lab_one:Range", "lab_one 1.0"),
        ("correction", "lab_cut:Cut", "lab_cut 1.0"),
    ]


def test_an_unknown_name_lists_what_is_installed_and_the_nearest(site):
    install_package(site, "lab_one", RANGE, announce("spread", "lab_one:Range"))
    with pytest.raises(ProcessError, match="there is no process 'spraed'") as error:
        find_process("spraed")
    assert "did you mean 'spread'?" in error.value.hint
    assert "installed are: " in error.value.hint
    assert "my_module:MyClass" in error.value.hint


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("Range = dict", "is the class dict, not a Process"),
        ("Range = 3", "is a int, not a Process"),
        ("from nxscan.process import Process as Range", "does not define per, compute, outputs"),
    ],
)
def test_a_broken_package_is_a_warning_and_the_others_work(site, caplog, code, what):
    install_package(site, "lab_bad", code, announce("bad", "lab_bad:Range"))
    install_package(site, "lab_one", RANGE, announce("spread", "lab_one:Range"))
    names = [one.name for one in installed("process")]
    assert "spread" in names
    assert "bad" not in names
    (said,) = [r.getMessage() for r in caplog.records if "lab_bad" in r.getMessage()]
    assert "'bad' of lab_bad 1.0 (lab_bad:Range)" in said
    assert what in said
    assert said.endswith("it is left out")
    with pytest.raises(ProcessError, match="lab_bad"):
        find_process("bad")


def test_two_packages_with_one_name_are_both_listed_and_the_name_alone_is_refused(site):
    for name in ("lab_one", "lab_two"):
        install_package(site, name, RANGE, announce("spread", f"{name}:Range"))
    assert [one.package for one in installed("process") if one.name == "spread"] == [
        "lab_one 1.0",
        "lab_two 1.0",
    ]
    with pytest.raises(ProcessError, match="2 packages have a process 'spread'") as error:
        find_process("spread")
    assert "lab_one:Range (of lab_one 1.0), lab_two:Range (of lab_two 1.0)" in error.value.hint
    assert find_process("lab_two:Range").__module__ == "lab_two"


def test_a_class_of_a_module_in_the_current_folder_is_found(here, monkeypatch):
    (here / "my_range.py").write_text(RANGE)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert find_process("my_range:Range").name == "range"


def test_the_current_folder_hides_nothing_afterwards(here):
    (here / "my_range.py").write_text(RANGE)
    (here / "statistics.py").write_text("raise RuntimeError('hidden')")
    find_process("my_range:Range")
    sys.modules.pop("statistics", None)
    assert importlib.import_module("statistics").mean([1, 3]) == 2


def test_what_the_users_module_imports_later_is_found(here):
    late = RANGE.replace("d = block", "import my_late_helper; d = block")
    (here / "my_late.py").write_text(late)
    (here / "my_late_helper.py").write_text("FACTOR = 3")
    find_process("my_late:Range")
    assert importlib.import_module("my_late_helper").FACTOR == 3


def test_a_class_of_a_file_is_found_with_what_lies_beside_it(tmp_path, here):
    folder = tmp_path / "else where"
    folder.mkdir()
    (folder / "beside_it.py").write_text("UNIT = 'counts'")
    (folder / "my-range.py").write_text("from beside_it import UNIT\n" + RANGE)
    found = find_process(f"{folder / 'my-range.py'}:Range")
    assert found.name == "range"
    assert find_process(f"{folder / 'my-range.py'}:Range") is found


def test_the_module_of_a_file_has_one_name_wherever_the_file_lies(tmp_path):
    names = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "my_range.py"
        path.write_text(RANGE)
        names.add(find_process(f"{path}:Range").__module__)
    assert len(names) == 1
    path.write_text(RANGE + "\nMORE = 1\n")
    assert find_process(f"{path}:Range").__module__ not in names


def test_a_class_of_a_file_goes_to_other_processes_by_value(tmp_path):
    import subprocess

    import cloudpickle

    path = tmp_path / "my_range.py"
    path.write_text(RANGE)
    pickled = tmp_path / "range.pickle"
    pickled.write_bytes(cloudpickle.dumps(find_process(f"{path}:Range")(scale=3)))
    path.unlink()
    code = f"import pickle; print(pickle.load(open({str(pickled)!r}, 'rb')).parameters.scale)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "3.0\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("no_such_module:Range", "there is no module 'no_such_module'", "path/to/file.py"),
        ("gone.py:Range", "gone.py: cannot be read: No such file", "current folder"),
        ("gone.py", "which class of gone.py?", "gone.py:MyClass"),
        ("my range:Range", "'my range' is no module", "my_module:MyClass"),
        ("my_range:Rnage", "my_range has no 'Rnage'", "did you mean 'Range'? its classes are"),
        ("my_range:Output", "my_range:Output is the class Output, not a Process", "class MyOwn"),
        ("my_range:Range.compute", "is a function, not a Process", "class MyOwn"),
        ("my_range:made", "is an instance, Range(scale=2.0), not a Process", "class MyOwn"),
        ("my_range:Half", "my_range:Half is not complete: it does not define compute", "see"),
    ],
)
def test_what_is_not_there_or_no_process_is_refused_with_what_to_do(here, text, message, hint):
    more = "\nmade = Range(scale=2)\n\nclass Half(Process):\n    per = 'pixel'\n"
    more += "    def outputs(self, scan):\n        return []\n"
    (here / "my_range.py").write_text(RANGE + more)
    with pytest.raises(ProcessError) as error:
        find_process(text)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize("form", ["bad_code:Range", "bad_code.py:Range"])
@pytest.mark.parametrize(
    ("code", "line", "what"),
    [
        ("x = 1\ny = x / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("def f(:\n", 1, "SyntaxError"),
        ("\nimport nowhere_at_all\n", 2, "No module named 'nowhere_at_all'"),
        ("raise SystemExit('usage: ...')\n", 1, "SystemExit: usage: ..."),
    ],
)
def test_what_a_users_module_raises_is_shown_where_it_happened(here, form, code, line, what):
    (here / "bad_code.py").write_text(code)
    with pytest.raises(ProcessError) as error:
        find_process(form)
    text = error.value.message
    assert f'bad_code.py", line {line}' in text
    assert what in text
    assert "nxscan" + "/process" not in text.replace("\\", "/")
    assert "importlib" not in text


def test_a_class_that_is_refused_when_it_is_made_is_shown_without_our_own_lines(here):
    (here / "bad_name.py").write_text(
        "from nxscan.process import Process\n\nclass Range(Process):\n    name = 'my range'\n"
    )
    with pytest.raises(ProcessError, match="'my range' is no NeXus name") as error:
        find_process("bad_name:Range")
    assert 'bad_name.py", line 3' in error.value.message
    assert "contract.py" not in error.value.message


def test_a_per_that_there_is_not_is_refused(here):
    (here / "bad_per.py").write_text(RANGE.replace('"pixel"', '"pixels"'))
    with pytest.raises(ProcessError, match="per is 'pixels'; it must be 'pixel' or 'position' or"):
        find_process("bad_per:Range")


def test_a_name_inside_a_class_is_found(here):
    imports, _, body = RANGE.partition("\n\n")
    nested = "".join(f"    {line}\n" for line in body.splitlines())
    (here / "my_home.py").write_text(f"{imports}\nclass Home:\n{nested}")
    assert find_process("my_home:Home.Range").name == "range"


def test_a_process_made_of_a_function_is_found_by_its_variable(here):
    (here / "my_function.py").write_text(
        "from nxscan.process import Output, Process\n"
        "def top(data, part=1.0):\n    return part * data.max(axis=0)\n"
        "highest = Process.from_function(top, [Output('top')], part=0.5)\n"
    )
    made = make_process("my_function:highest", {})
    assert made.name == "top"
    assert made.parameters.part == 0.5
    assert make_process("my_function:highest", {"part": "2"}).parameters.part == 2


def test_parameters_are_read_from_text(here):
    (here / "my_range.py").write_text(RANGE)
    assert make_process("my_range:Range", {"scale": "3"}).parameters.scale == 3.0


def test_wrong_parameters_name_process_parameter_and_what_is_expected(here):
    (here / "my_range.py").write_text(RANGE)
    with pytest.raises(ProcessError, match=r"range: parameter 'scale' is 'big', but: .*number"):
        make_process("my_range:Range", {"scale": "big"})
    with pytest.raises(ProcessError, match="there is no parameter 'scal'; its parameters are"):
        make_process("my_range:Range", {"scal": "3"})


@pytest.fixture
def cut(here):
    (here / "my_cut.py").write_text(CUT)
    return "my_cut:Cut"


def test_a_correction_is_found_with_its_parameters(cut):
    assert find_correction(cut).parameters.high == 10
    found = find_correction(f"{cut}:high=3.5,levels=1,2,3,region=10:50,20:80")
    assert isinstance(found, Correction)
    assert found.parameters.high == 3.5
    assert found.parameters.levels == (1, 2, 3)
    assert found.parameters.region == "10:50,20:80"


def test_a_correction_of_a_file_is_found_with_its_parameters(cut):
    assert find_correction("my_cut.py:Cut:high=3").parameters.high == 3


def test_an_installed_correction_is_found_by_name(site):
    install_package(site, "lab_cut", CUT, announce("lab_cut", "lab_cut:Cut", "corrections"))
    assert find_correction("lab_cut:high=4").parameters.high == 4
    with pytest.raises(ProcessError, match="there is no correction 'lab_cot'") as error:
        find_correction("lab_cot")
    assert "did you mean 'lab_cut'?" in error.value.hint


def test_a_correction_object_is_taken_as_it_is(cut):
    made = find_correction(cut)
    assert find_correction(made) is made
    with pytest.raises(ProcessError, match="3 is no correction"):
        find_correction(3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("high=tall", r"correction cut: parameter 'high' is 'tall', but: .*number"),
        ("hihg=3", r"correction cut: there is no parameter 'hihg'; .*high, levels, region"),
        ("levels=1,two", r"parameter 'levels.1' is \['1', 'two'\], but: .*integer"),
        ("high=1,high=2", r"'high=1,high=2' is not name=value,name=value, each name once"),
    ],
)
def test_wrong_options_name_correction_parameter_and_what_is_expected(cut, options, message):
    with pytest.raises(ProcessError, match=message):
        find_correction(f"{cut}:{options}")


def test_a_process_is_no_correction(here):
    (here / "my_range.py").write_text(RANGE)
    with pytest.raises(ProcessError, match="is the class Range, not a Correction"):
        find_correction("my_range:Range")


def test_either_kind_is_found_where_any_is_wanted(here, cut, site):
    assert find_any(cut).kind == "correction"
    install_package(site, "lab_cut", CUT, announce("lab_cut", "lab_cut:Cut", "corrections"))
    assert find_any("lab_cut").reference == "lab_cut:Cut"
    with pytest.raises(ProcessError, match="there is no process or correction 'lab_c'"):
        find_any("lab_c")


def test_nothing_else_is_loaded_for_one_name(site):
    install_package(site, "lab_one", RANGE, announce("spread", "lab_one:Range"))
    install_package(site, "lab_bad", "1 / 0", announce("bad", "lab_bad:Range"))
    find_process("spread")
    assert "lab_bad" not in sys.modules


def test_a_name_may_be_written_with_dashes():
    assert find_correction("hot-pixels").name == "hot_pixels"
