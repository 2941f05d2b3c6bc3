"""The translators that are installed, nxscan's own and third parties' alike."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from nxscan.errors import SourceError
from nxscan.translate.contract import Translator

GROUP = "nxscan.translators"
_TRIED_PER_KIND = 3
_TRIED = 24
_START = 16


def translators() -> dict[str, Translator]:
    """Return every installed translator by its name, in the order of the names.

    A plug-in that cannot be loaded is left out with a warning.
    """
    found: dict[str, Translator] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        translator = _load(point)
        if translator is None:
            continue
        if translator.name in found:
            warnings.warn(
                f"two translators are called {translator.name!r}; {point.value} is left out",
                RuntimeWarning,
                stacklevel=2,
            )
            continue
        found[translator.name] = translator
    return found


def _load(point: EntryPoint) -> Translator | None:
    try:
        translator = point.load()()
        if isinstance(translator, Translator):
            return translator
        problem = f"{point.value} makes a {type(translator).__name__}, not a Translator"
    except Exception as error:  # whatever a third party's module does, the others must work
        problem = f"{type(error).__name__}: {error}"
    warnings.warn(
        f"the translator {point.name!r} cannot be loaded and is left out: {problem}",
        RuntimeWarning,
        stacklevel=3,
    )
    return None


def translator_for(paths: Sequence[Path], name: str | None = None) -> Translator:
    """Choose the translator for some files.

    A few files of each kind (by suffix) are looked into; the translator that can open most of
    them is taken. What it cannot open among ``paths`` it leaves out.

    Parameters
    ----------
    paths : sequence of Path
        Files.
    name : str, optional
        The translator that the user asks for; then nothing is looked into.

    Raises
    ------
    SourceError
        If ``name`` is not installed, a file is unreadable, or no translator can open any; the
        message lists what is installed and the first bytes seen.

    """
    installed = translators()
    if name is not None:
        if name not in installed:
            raise SourceError(f"there is no translator {name!r}", _listed(installed))
        return installed[name]
    sample = _sample(paths)
    starts = {path: _first_bytes(path) for path in sample}
    scores = {
        key: sum(_can_open(translator, path) for path in sample)
        for key, translator in installed.items()
    }
    best = max(scores, key=lambda key: (scores[key], not installed[key].general), default="")
    if not scores.get(best):
        raise SourceError(_nothing_opens(starts) + _reasons(installed, sample), _listed(installed))
    return installed[best]


def _can_open(translator: Translator, path: Path) -> bool:
    """Ask a translator; one that fails over a file does not stop the others."""
    try:
        return translator.can_open(path)
    except Exception as error:  # whatever a third party's module does
        warnings.warn(
            f"the translator {translator.name!r} failed over {path} and is left out: "
            f"{type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=4,
        )
        return False


def _reasons(installed: dict[str, Translator], sample: Sequence[Path]) -> str:
    """Say what was tried, and why each said no."""
    if not sample:
        return ""
    return ":" + "".join(f"\n  {key}: {one.refusal(sample[0])}" for key, one in installed.items())


def _listed(installed: dict[str, Translator]) -> str:
    return f"installed translators: {', '.join(installed) or 'none'}"


def _sample(paths: Sequence[Path]) -> list[Path]:
    """Take a few files of each kind, so that ten thousand files cost a few looks."""
    kinds: dict[str, list[Path]] = {}
    for path in paths:
        kind = re.sub(r"[0-9]+", "#", "".join(path.suffixes[-2:]).lower())
        kinds.setdefault(kind, []).append(path)
    chosen = [path for files in kinds.values() for path in files[:_TRIED_PER_KIND]]
    return chosen[:_TRIED]


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(_START)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}",
            "check that it exists and that you may read it",
        ) from error


def _nothing_opens(starts: dict[Path, bytes]) -> str:
    seen = "; ".join(f"{path} begins with {start!r}" for path, start in [*starts.items()][:3])
    return f"no translator can open {seen or 'nothing'}"
