"""Translators are found through entry points; a broken one does no harm."""

from __future__ import annotations

import sys
import types
import warnings
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution
from pathlib import Path

import pytest

from nxscan.errors import SourceError
from nxscan.translate import registry
from nxscan.translate.contract import Translator
from nxscan.translate.registry import GROUP, translator_for, translators


def make(name_: str, start: bytes) -> type[Translator]:
    class Fake(Translator):
        name = name_
        opened: list[Path] = []

        def can_open(self, path):
            self.opened.append(path)
            return path.read_bytes().startswith(start)

        def scans(self, paths, mapping=None):
            return []

        def open(self, ref, options, report):
            return None

    return Fake


@pytest.fixture
def plugins(monkeypatch):
    """Install a module of plug-ins and announce entry points into it."""
    module = types.ModuleType("nxscan_test_plugins")
    module.A, module.B, module.Again = make("aaa", b"AAA"), make("bbb", b"BBB"), make("aaa", b"?")
    module.NotOne = dict
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def install(**points):
        found = [EntryPoint(n, f"{module.__name__}:{v}", GROUP) for n, v in points.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: found if group == GROUP else [])
        return module

    return install


def test_translators_are_found_by_name(plugins):
    module = plugins(bbb="B", aaa="A")
    found = translators()
    assert list(found) == ["aaa", "bbb"]
    assert isinstance(found["aaa"], module.A)


@pytest.mark.parametrize(
    ("broken", "what"), [("Missing", "AttributeError"), ("NotOne", "makes a dict")]
)
def test_a_broken_plug_in_is_a_warning_and_the_others_work(broken, what, plugins):
    plugins(aaa="A", broken=broken)
    with pytest.warns(RuntimeWarning, match=f"'broken' cannot be loaded and is left out.*{what}"):
        found = translators()
    assert list(found) == ["aaa"]


def test_two_translators_of_one_name_are_a_warning(plugins):
    plugins(aaa="A", zzz="Again")
    with pytest.warns(RuntimeWarning, match="two translators are called 'aaa'"):
        found = translators()
    assert list(found) == ["aaa"]


def test_the_translator_is_chosen_by_content(plugins, tmp_path):
    plugins(aaa="A", bbb="B")
    (tmp_path / "x.dat").write_bytes(b"BBB123")
    assert translator_for([tmp_path / "x.dat"]).name == "bbb"


def test_the_translator_that_opens_most_is_chosen(plugins, tmp_path):
    plugins(aaa="A", bbb="B")
    paths = [tmp_path / name for name in ("1.a", "2.b", "3.b", "log.txt")]
    for path, start in zip(paths, (b"AAA", b"BBB", b"BBB", b"log"), strict=True):
        path.write_bytes(start)
    assert translator_for(paths).name == "bbb"


def test_ten_thousand_files_cost_a_few_looks(plugins, tmp_path):
    module = plugins(aaa="A")
    path = tmp_path / "a.edf"
    path.write_bytes(b"AAA")
    paths = [path] * 5000 + [tmp_path / f"none.{k:04d}" for k in range(5000)]
    (tmp_path / "none.0000").write_bytes(b"")
    (tmp_path / "none.0001").write_bytes(b"")
    (tmp_path / "none.0002").write_bytes(b"")
    assert translator_for(paths).name == "aaa"
    assert len(module.A.opened) <= 6


def test_the_one_that_is_asked_for_is_taken_without_a_look(plugins):
    plugins(aaa="A", bbb="B")
    assert translator_for([Path("nowhere")], "bbb").name == "bbb"
    with pytest.raises(SourceError, match=r"no translator 'ccc'.*installed translators: aaa, bbb"):
        translator_for([Path("nowhere")], "ccc")


def test_when_none_can_open_the_error_shows_first_bytes_and_what_is_installed(plugins, tmp_path):
    plugins(aaa="A", bbb="B")
    path = tmp_path / "x.dat"
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(SourceError) as error:
        translator_for([path])
    text = str(error.value)
    assert str(path) in text
    assert repr(b"\x89PNG\r\n") in text
    assert "installed translators: aaa, bbb" in text


def test_an_unreadable_file_is_refused_by_name(plugins, tmp_path):
    plugins(aaa="A")
    with pytest.raises(SourceError, match=r"gone\.dat: cannot be read"):
        translator_for([tmp_path / "gone.dat"])


def test_no_files_and_no_translators_are_refused(plugins):
    plugins()
    with pytest.raises(SourceError, match=r"no translator can open nothing; .*: none"):
        translator_for([])


def test_the_installed_package_announces_edf():
    try:
        distribution("nxscan")
    except PackageNotFoundError:
        pytest.skip("nxscan is not installed as a package here, so it has no entry points")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = translators()
    assert type(found["edf"]).__module__ == "nxscan.translators.edf.translator"
