"""What SOURCE means: files, folders, globs, in natural order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translate.sources import expand, natural_key


@pytest.fixture
def folder(tmp_path):
    for name in ("f10.edf", "f9.edf", "f1.edf", ".hidden", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "g.edf").touch()
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_a_folder_means_its_own_files_but_hidden_ones(folder):
    assert names(expand(folder)) == ["f1.edf", "f9.edf", "f10.edf", "notes.txt"]
    assert names(expand(str(folder))) == names(expand([folder]))


def test_a_file_is_itself(folder):
    assert expand(folder / "f9.edf") == [folder / "f9.edf"]
    assert names(expand(folder / ".hidden")) == [".hidden"]


def test_a_glob_means_the_files_it_matches_in_natural_order(folder):
    assert names(expand(f"{folder}/f*.edf")) == ["f1.edf", "f9.edf", "f10.edf"]
    assert names(expand(f"{folder}/**/g*")) == ["g.edf"]
    assert names(expand(f"{folder}/*")) == ["f1.edf", "f9.edf", "f10.edf", "notes.txt"]


def test_sources_keep_their_order_and_each_file_comes_once(folder):
    given = [folder / "notes.txt", f"{folder}/f*.edf", folder]
    assert names(expand(given)) == ["notes.txt", "f1.edf", "f9.edf", "f10.edf"]


def test_a_name_with_glob_characters_that_exists_is_that_file(tmp_path):
    for name in ("a[1].edf", "a1.edf"):
        (tmp_path / name).touch()
    assert names(expand(tmp_path / "a[1].edf")) == ["a[1].edf"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("none.edf", "there is no such file or folder"),
        ("*.cbf", "the pattern matches nothing"),
        ("s*", "the pattern matches only 1 folders"),
        ("empty", "the folder is empty"),
        ("outer", "has no files, only folders (inner)"),
    ],
)
def test_what_is_not_there_is_refused_by_name(source, what, folder):
    (folder / "empty").mkdir()
    (folder / "outer" / "inner").mkdir(parents=True)
    if source == "s*":
        (folder / "notes.txt").unlink()
    with pytest.raises(SourceError) as error:
        expand(folder / source)
    assert what in str(error.value)
    assert str(folder / source) in str(error.value)
    assert error.value.hint


def test_no_source_at_all_is_refused():
    with pytest.raises(SourceError, match="no source was given"):
        expand([])


def test_a_folder_that_may_not_be_read_is_refused(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        expand(folder)


@given(st.lists(st.integers(0, 10**25), max_size=8, unique=True))
def test_natural_order_is_the_order_of_the_numbers(numbers):
    found = sorted((f"scan_{n}.edf" for n in numbers), key=natural_key)
    assert found == [f"scan_{n}.edf" for n in sorted(numbers)]


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_names_can_be_sorted_and_the_order_is_fixed(texts):
    once = sorted(texts, key=natural_key)
    texts.reverse()
    assert sorted(texts, key=natural_key) == once


def test_relative_paths_stay_relative(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert expand("sub") == [Path("sub/g.edf")]
