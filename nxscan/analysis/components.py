"""Blind source separation: what few curves the curves of all pixels are made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis import components_gather as gathering
from nxscan.analysis.components_find import Found, Method, Search
from nxscan.analysis.components_gather import Sampling
from nxscan.analysis.components_maps import joined, maps_of
from nxscan.analysis.components_nmf import Sums, coefficients
from nxscan.errors import ProcessError
from nxscan.model import Axis
from nxscan.process import Output, Process, ProcessParameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process import Block
    from nxscan.process.contract import Arrays

Stage = Literal["sketch", "gather", "refine", "maps"]

_SCREE = 64
"""Principal components at most whose share is given."""
_BYTES = 4
"""Of a value, as curves are kept to be worked on."""
_REFINED = ("square", "products", "error", "intensity")


class ComponentsParameters(ProcessParameters):
    """How components are found, and how many."""

    method: Method = Field(
        "nmf",
        description="'pca': principal components; 'nmf': non-negative matrix factorization; "
        "'nica': non-negative independent components; 'nica_nmf': nmf that starts from nica.",
    )
    n_components: int = Field(
        5,
        ge=1,
        le=64,
        description="How many components; 'scree' of the result tells how many help.",
    )
    subtract: Literal["mean_curve", "mean_map", "nothing"] = Field(
        "mean_curve",
        description="Of pca: what is taken off first, the mean curve of all pixels, or each "
        "pixel's mean over the scan, as darfix does.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Of what is random: starts, choice of pixels.")
    steps: int = Field(500, ge=1, description="Steps of nmf and nica at most.")
    gain: float = Field(
        1e-5, gt=0, description="They end when a step gains less than this part of what is left."
    )
    sample: float = Field(
        256.0,
        gt=0,
        description="Curves that nmf and nica keep in memory to find components: those of all "
        "pixels where they fit, else of as many pixels chosen at random.",
        json_schema_extra={"units": "MB"},
    )
    refine: int = Field(
        1,
        ge=0,
        le=100,
        description="Of nmf, where not all pixels' curves are kept: steps on all pixels, each of "
        "which reads the scan once.",
    )


class Components(Process):
    """Components of a scan: a few curves, and of each a map of how much of it is in every pixel.

    The curve of pixel p is taken for x_p = Σ_k m_kp c_k + what is left: ``maps`` m (component,
    y, x) and ``curves`` c (component, positions). Pixels with a masked value or NaN at any
    position are left out, and NaN in the maps.

    - ``pca``: orthonormal curves that explain the most variance, exactly: eigenvectors of the
      covariance of all pixels' curves. The largest variance first; the value of a curve that is
      largest without its sign is positive. The mean curve (``mean_curve``) is taken off before,
      or each pixel's mean (``subtract=mean_map``).
    - ``nmf``: maps and curves that are not negative, with the least squared differences.
      Negative values of the data stay what they are. Alternating least squares by coordinate
      descent (Cichocki and Phan 2009; Gillis and Glineur 2012), from parts of the principal
      components and from curves of random pixels, whichever goes farther.
    - ``nica``: maps that are independent and not negative, by a rotation of the whitened data
      (Oja and Plumbley 2004). Values below zero are noise or say that it does not fit; they are
      not hidden. What all pixels have in common, the offset of a camera, is no part of it: take
      it off first.
    - ``nica_nmf``: ``nmf`` that starts from the curves of ``nica``.

    Curves of all but ``pca`` add up to 1 without their signs, so that a map is in counts of the
    whole scan; they are sorted by the intensity that they explain.

    Other outputs are ``share`` of each component (of the variance; of the intensity for all but
    pca), ``scree`` (share of each principal component, of the variance, of nmf of the sum of
    squares), ``residual`` (root mean square of what is left of each pixel's curve) and ``error``
    (root of the sum of all squared differences by that of all squares). The errors of maps are
    one standard deviation if what is left is noise.

    Notes
    -----
    The scan is read twice: sums of products of positions, of which there are few against pixels,
    add up block by block; then the maps are made tile by tile. Beyond 2048 positions, products
    are taken in 256 directions, that a pass of its own finds (Halko, Martinsson and Tropp 2011).
    In memory are the sums, ``sample`` MB of curves twice, and the maps, however long the scan.
    Where curves of all pixels fit into ``sample``, nmf and nica see all of them; else those of
    pixels chosen by the seed, and nmf is refined with all pixels.

    References
    ----------
    .. [1] E. Oja, M. Plumbley, Neural Computation 16, 1811-1825 (2004).
    .. [2] A. Cichocki, A.-H. Phan, IEICE Trans. Fundamentals E92-A, 708-721 (2009).
    .. [3] N. Gillis, F. Glineur, Neural Computation 24, 1085-1105 (2012).
    .. [4] N. Halko, P. G. Martinsson, J. A. Tropp, SIAM Review 53, 217-288 (2011).

    """

    per = "scan"
    wants_valid = True
    whole_curves = True
    bytes_per_value = 8
    Parameters = ComponentsParameters

    _sampling: Sampling
    _search: Search
    _scan_shape: tuple[int, ...] = ()
    _scree: int = 0
    _stages: tuple[Stage, ...] = ()

    def outputs(self, scan: Scan) -> Sequence[Output]:
        """Declare maps, curves and what they explain; find out how often the scan is read."""
        self._plan(scan)
        rank, given = len(scan.scan_shape), self.parameters
        axes, units = scan.main_axes(), scan.signal.units
        positions, pixels = axes[:rank], axes[rank:]
        own = _numbered("component", given.n_components)
        principal = _numbered("principal_component", self._scree)
        of = "variance" if given.method == "pca" else "intensity"
        note = self._stated()
        found = [
            Output("maps", units, dims=(own, *pixels), dtype=np.float32, default=True, errors=True,
                   long_name=f"components ({given.method})", note=note),
            Output("curves", "", dims=(own, *positions), long_name="curves of the components",
                   note=_SCALES[given.method == "pca"]),
            Output("share", "", dims=(own,), long_name=f"share of the {of}"),
            Output("scree", "", dims=(principal,), long_name="share of each principal component"),
            Output("residual", units, dims=pixels, dtype=np.float32,
                   long_name="root mean square of what is left"),
            Output("error", "", dims=(), long_name="relative error of the reconstruction"),
        ]  # fmt: skip
        if given.method == "pca" and given.subtract == "mean_curve":
            found.append(Output("mean_curve", units, dims=positions, long_name="mean curve"))
        if self._centered:
            found.append(
                Output("mean_map", units, dims=pixels, dtype=np.float32, long_name="mean of pixels")
            )
        return found

    def compute(self, block: Block) -> Arrays:
        """Return what the pass is for: sums and curves of a block, or its maps."""
        stage = self._stages[block.pass_index]
        named: dict[str, NDArray[Any]] = {"stage": np.array(stage)}
        if stage == "sketch":
            found = gathering.sketch(block, self.parameters.seed, centered=self._centered)
            return named | dict(found)
        if stage == "gather":
            basis = block.previous.get("basis")
            state = gathering.gather(block, self._sampling, basis, centered=self._centered)
            return named | dict(state) | ({} if basis is None else {"basis": basis})
        known = Found.of(block.previous)
        made = _refining(block, known) if stage == "refine" else self._mapped(block, known)
        return named | known.arrays() | dict(made)

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Join what two parts of the detector gave."""
        stage = str(first["stage"])
        if stage == "maps":
            return dict(first) | dict(joined(first, second))
        if stage == "refine":
            return dict(first) | {name: first[name] + second[name] for name in _REFINED}
        return dict(first) | dict(gathering.added(first, second))

    def finish(self, state: Arrays) -> Arrays:
        """Return what the next pass needs, or the outputs."""
        stage = str(state["stage"])
        if stage == "sketch":
            return {"basis": gathering.directions(state)}
        if stage == "gather":
            return self._search.found(state).arrays()
        if stage == "refine":
            sums = Sums(**{name: state[name] for name in _REFINED})
            return self._search.refined(Found.of(state), sums).arrays()
        return self._named(Found.of(state), state)

    @property
    def _centered(self) -> bool:
        """Whether each pixel's own mean is taken off."""
        return bool(self.parameters.method == "pca" and self.parameters.subtract == "mean_map")

    def _plan(self, scan: Scan) -> None:
        given, self._scan_shape = self.parameters, scan.scan_shape
        positions, pixels = math.prod(scan.scan_shape), math.prod(scan.frame_shape)
        most = min(positions, pixels)
        if not scan.frame_shape or given.n_components > most:
            raise ProcessError(
                f"components: {given.n_components} components of {scan.title!r}, which has "
                f"{positions} positions and {pixels} pixels",
                f"set n_components to {most} or less" if scan.frame_shape and most else "",
            )
        share = min(1.0, given.sample * 1e6 / (_BYTES * positions * pixels))
        if given.method == "pca":
            share = 0.0
        self._sampling = Sampling(scan.frame_shape, share, given.seed)
        self._search = Search(
            given.method, given.n_components, given.subtract == "mean_curve",
            given.steps, given.gain, given.seed,
        )  # fmt: skip
        sketched: tuple[Stage, ...] = ("sketch",) if positions > gathering.MOST_EXACT else ()
        self._scree = min(_SCREE, gathering.DIRECTIONS if sketched else positions)
        again: tuple[Stage, ...] = ("refine",)
        again *= given.refine if "nmf" in given.method and share < 1 else 0
        self._stages = (*sketched, "gather", *again, "maps")
        self.passes = len(self._stages)

    def _stated(self) -> str:
        """Return how components were found, for people."""
        given, share = self.parameters, self._sampling.share
        texts = [given.method]
        if given.method == "pca":
            texts.append(
                "nothing" if given.subtract == "nothing" else f"{given.subtract} taken off"
            )
        elif share < 1:
            texts.append(f"found from {100 * share:.3g} % of the pixels, seed {given.seed}")
            texts.append(f"refined {self._stages.count('refine')} times with all")
        if "sketch" in self._stages:
            texts.append(f"in {gathering.DIRECTIONS} directions")
        return ", ".join(texts)

    def _mapped(self, block: Block, found: Found) -> Arrays:
        return maps_of(block, found, centered=self._centered)

    def _named(self, found: Found, state: Arrays) -> Arrays:
        """Return the outputs."""
        count, positions = self.parameters.n_components, len(found.curves)
        shape = self._scan_shape
        freedom = positions - count - self._centered
        inflated = math.sqrt(positions / freedom) if freedom > 0 else math.nan
        spread = np.sqrt(np.diag(np.linalg.pinv(found.curves.T @ found.curves)))
        per_map = (-1,) + (1,) * state["residual"].ndim
        made = {
            "maps": state["maps"],
            "maps_errors": (spread * inflated).reshape(per_map).astype(np.float32)
            * state["residual"],
            "curves": found.curves.T.reshape(count, *shape),
            "share": self._share(found, state),
            "scree": found.scree[: self._scree],
            "residual": state["residual"],
            "error": np.sqrt(state["differences"] / (state["seen"] or np.nan)),
        }
        if self.parameters.method == "pca" and self.parameters.subtract == "mean_curve":
            made["mean_curve"] = found.mean.reshape(shape)
        return made | ({"mean_map": state["mean_map"]} if self._centered else {})

    def _share(self, found: Found, state: Arrays) -> NDArray[Any]:
        count = self.parameters.n_components
        if self.parameters.method == "pca":
            return found.scree[:count]
        explained = state["intensity"] * found.curves.sum(axis=0)
        return np.asarray(explained / (state["light"] or np.nan))


_SCALES = {
    True: "orthonormal",
    False: "values add up to 1 without their signs: maps are in counts of the whole scan",
}


def _numbered(name: str, count: int) -> Axis:
    return Axis(name, np.arange(1.0, count + 1), "", name.replace("_", " "))


def _refining(block: Block, found: Found) -> dict[str, NDArray[Any]]:
    """Return the sums that the next step of non-negative components needs."""
    count = found.curves.shape[1]
    made: dict[str, NDArray[Any]] = {
        "square": np.zeros((count, count)),
        "products": np.zeros(found.curves.shape),
        "error": np.zeros(()),
        "intensity": np.zeros(count),
    }
    for _, curves in gathering.portions(block, gathering.good_pixels(block)):
        sums = coefficients(curves.T, found.curves)[1]
        for name in _REFINED:
            made[name] = made[name] + getattr(sums, name)
    return made
