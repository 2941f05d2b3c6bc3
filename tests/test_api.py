"""The public face: lazy imports, names, and the choices that a call makes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nxscan
from nxscan import plan, targets
from nxscan.errors import OutputError, PlanError
from nxscan.translate.contract import ScanRef

HEAVY = [
    "dask", "fabio", "h5py", "matplotlib", "nexusformat", "numpy", "pint", "punx", "pydantic",
    "pyUSID", "scipy", "sidpy", "silx", "xarray",
]  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Return which heavy packages a fresh interpreter has loaded after some code."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(ended.stderr)} & set(HEAVY)


def ref(number: str, title: str = "scan") -> ScanRef:
    return ScanRef(number, title, 2, (4, 5), "uint16")


def test_import_nxscan_loads_nothing_heavy():
    assert loaded_after("import nxscan") == set()


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['nxscan', '--help']\n"
        "from nxscan.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert loaded_after(code) == set()


def test_every_public_name_is_there_and_listed():
    for name in nxscan.__all__:
        assert getattr(nxscan, name) is not None
        assert name in dir(nxscan)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'translat'"):
        nxscan.translat  # noqa: B018


@pytest.mark.parametrize("name", ["translate", "validate"])
def test_functions_keep_their_names_although_subpackages_have_them_too(name):
    module = import_module(f"nxscan.{name}")
    assert isinstance(getattr(nxscan, name), FunctionType)
    assert sys.modules[f"nxscan.{name}"] is module


@pytest.mark.parametrize("name", ["translate", "validate"])
def test_functions_are_there_when_the_subpackage_was_imported_first(name):
    code = f"import nxscan.{name}\nimport nxscan\nassert nxscan.{name}.__module__ == 'nxscan.api'"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ("all", ["1", "2.1", "2.2", "7", "30.1"]),
        ("2-7", ["2.1", "2.2", "7"]),
        ("7,1", ["1", "7"]),
        ("2.2", ["2.2"]),
        ("30-40, 1", ["1", "30.1"]),
    ],
)
def test_scans_are_selected_by_numbers_and_ranges_in_the_order_of_the_source(wanted, numbers):
    refs = [ref(number) for number in ("1", "2.1", "2.2", "7", "30.1")]
    assert [one.number for one in plan.select(refs, wanted)] == numbers


@pytest.mark.parametrize("wanted", ["3", "8-9", "", "x", "2-", "1,99"])
def test_a_selection_of_scans_that_are_not_there_is_refused(wanted):
    with pytest.raises(PlanError, match="there are: 1, 2"):
        plan.select([ref("1"), ref("2")], wanted)


names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1)


@given(st.dictionaries(names, st.integers(1, 10**6), min_size=1))
def test_axes_are_read_in_the_order_given(axes):
    text = ", ".join(f"{name} = {length}" for name, length in axes.items())
    assert list(plan.parse_axes(text).items()) == list(axes.items())


@given(st.text())
def test_axes_that_cannot_be_read_are_refused_and_never_guessed(text):
    try:
        axes = plan.parse_axes(text)
    except PlanError:
        return
    assert axes
    assert all(name and length > 0 for name, length in axes.items())


titles = st.sampled_from(["a", "A", "a_0", "a_1", "a 1", "scan_2", "../..", "", "x/y", "ä"])


@given(st.lists(titles | st.text(), min_size=1, max_size=8))
def test_files_named_after_titles_differ_and_stay_in_the_folder(titles):
    refs = [ref(str(number), title) for number, title in enumerate(titles)]
    paths = targets.output_paths("out", refs).values()
    assert len({path.name.casefold() for path in paths}) == len(titles)
    assert {path.parent for path in paths} == {Path("out")}


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(OutputError, match="is a file"):
        targets.output_paths(path, [ref("1")])


def test_frames_that_are_missing_are_said():
    declared = ScanRef("1", "scan", 17, (4, 5), "uint16", declared=20)
    assert plan.describe(declared) == "17 of 20 frames of 4 × 5 uint16"
    assert plan.describe(ScanRef("1", "scan", 1, (), "float64")) == "1 frame float64"
