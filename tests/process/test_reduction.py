"""Merging partial states."""

from __future__ import annotations

import pytest

from nxscan.errors import ProcessError
from nxscan.process.reduction import merge_all


class Join:
    """Writes down what was merged with what."""

    name = "join"

    def merge(self, first, second):
        return {"s": f"({first['s']}{second['s']})"}


def merged(texts):
    return merge_all(Join(), iter([{"s": text} for text in texts]))["s"]


def test_neighbours_are_merged_in_a_balanced_tree():
    assert merged("abcdefg") == "(((ab)(cd))((ef)g))"


def test_the_order_of_the_blocks_is_kept():
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert merged(letters).replace("(", "").replace(")", "") == letters


def test_one_state_is_returned_as_it_is():
    assert merged("a") == "a"


def test_no_state_at_all_is_an_error():
    with pytest.raises(ProcessError, match="'join' has no block"):
        merge_all(Join(), iter([]))
