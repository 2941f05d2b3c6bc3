"""What file names and headers say of a frame: its series, its number, its role."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nxscan.model.provenance import FrameRole

_NUMBER = re.compile(r"(?P<stem>.*?)(?P<number>[0-9]{1,18})\Z", re.DOTALL)
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WORDS: dict[FrameRole, frozenset[str]] = {
    "dark": frozenset({"dark", "darks", "darkend", "darkstart"}),
    "flat": frozenset({"flat", "flats", "flatfield", "ref", "refs", "refhst"}),
}
_PACKED = (".gz", ".bz2")
_SUFFIX = re.compile(
    r"""\.(?:edf|cbf|tiff?|mccd|mar\d{3,4}|marccd|img|osc|sfrm|gfrm|kcd|spe|dm3|esperanto|esper
    |p[bgnp]m|pixi|f2d|npy|ge\d?|im7|raxis)\Z""",
    re.IGNORECASE | re.VERBOSE,
)
"""Suffixes of files of frames; what else follows a dot (``ccd.0007``) is part of the name."""
_ROLE_KEYS = frozenset({"image_type", "imagetype", "frame_type", "acquisition_type"})


def bare_name(path: str) -> str:
    """Return a file's name without its suffixes.

    >>> bare_name("raw/mu_0007.edf.gz"), bare_name("ccd.0007")
    ('mu_0007', 'ccd.0007')
    """
    name = os.path.basename(path)  # noqa: PTH119  thousands of files: pathlib takes long
    for suffix in _PACKED:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return _SUFFIX.sub("", name)


def split_name(path: str) -> tuple[str, int | None]:
    """Return the name of a file's series and its number in it.

    >>> split_name("run2_1_00148.edf.bz2"), split_name("medipix.edf")
    (('run2_1_', 148), ('medipix', None))
    """
    name = bare_name(path)
    found = _NUMBER.match(name)
    return (found["stem"], int(found["number"])) if found else (name, None)


def find_role(path: str, values: Mapping[str, str]) -> FrameRole:
    """Tell what a frame was taken as, by its header or by a word of its file name.

    >>> [find_role(n, {}) for n in ("darkend0000.edf", "refHST0000.edf", "reflection_1.edf")]
    ['dark', 'flat', 'scan']
    """
    for key, value in values.items():
        if key.lower() in _ROLE_KEYS:
            return _role_of(value)
    return _role_of(split_name(path)[0])


def _role_of(text: str) -> FrameRole:
    words = [word.lower() for word in _TOKEN.findall(text)]
    if "field" in words:  # dark-field microscopy is no dark
        words = [word for word in words if word != "dark"]
    for role, known in _WORDS.items():
        if known.intersection(words):
            return role
    return "scan"
