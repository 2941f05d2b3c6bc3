"""silx's rules of plots: what ``silx view`` can draw. Needs no Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.hints import hint_for


def plots(target: Target) -> Iterator[Finding]:
    """Check that every NXdata can be plotted, and that the chain of @default leads to one of them.

    A file without @default on its root is left to the check of the default plot.
    """
    from silx.io.nxdata import NXdata, get_default

    if "default" in target.file.attrs and not _safely(lambda: get_default(target.file)):
        message = "silx finds no valid plot along @default"
        hint = "see the findings about @default and about the NXdata groups"
        yield Finding("error", "/", "default plot", message, hint, "silx")
    for group in target.plots:
        try:
            issues = list(NXdata(group).issues)
        except Exception as error:  # silx raises many kinds on groups it did not expect
            issues = [f"silx stopped with {type(error).__name__}: {error}"]
        for issue in issues:
            yield Finding("error", group.name, "plot", issue, hint_for("silx", issue), "silx")


def _safely(find: Callable[[], object]) -> bool:
    try:
        return find() is not None
    except Exception:  # as above; the group that is to blame is named there
        return False
