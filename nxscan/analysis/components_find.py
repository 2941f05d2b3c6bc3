"""Curves of components found from what was gathered of a scan, by each method."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nxscan.analysis import components_nica as nica
from nxscan.analysis import components_nmf as nmf
from nxscan.analysis.components_principal import Principal, principal
from nxscan.errors import ProcessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]

Method = Literal["pca", "nmf", "nica", "nica_nmf"]
_NO_VARIANCE = 1e-12
_RANDOM_STARTS = 2


@dataclass(frozen=True, eq=False)
class Found:
    """Components, and how those of a pixel's curve are made of it.

    Attributes
    ----------
    curves : ndarray, shape (positions, k)
        One curve in each column.
    unmix : ndarray, shape (k, positions)
        What gives a pixel's values, less the mean; of no size where they are those of least
        squares that are not negative.
    mean : ndarray, shape (positions,)
        Curve that is taken off before.
    scree : ndarray
        Share of each principal component.
    squares : ndarray, shape ()
        Σ |x|² of all pixels.

    """

    curves: Array
    unmix: Array
    mean: Array
    scree: Array
    squares: Array

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as a state keeps it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def of(cls, state: Arrays) -> Found:
        """Return what a state keeps."""
        return cls(**{one.name: state[one.name] for one in fields(cls)})


@dataclass(frozen=True)
class Search:
    """How components are looked for.

    Attributes
    ----------
    method : {"pca", "nmf", "nica", "nica_nmf"}
        By which method.
    count : int
        How many.
    about_mean : bool
        Of PCA: whether the mean curve is taken off.
    most, gain
        Steps at most, and what the last one gains.
    seed : int
        Of random starts.

    """

    method: Method
    count: int
    about_mean: bool
    most: int
    gain: float
    seed: int

    def found(self, state: Arrays) -> Found:
        """Return the components of what was gathered.

        Raises
        ------
        ProcessError
            If no pixel is valid everywhere, or curves have fewer directions than components.

        """
        if int(state["count"]) == 0:
            raise ProcessError(
                "components: no pixel has a valid value at every position, and others are left out",
                "take masked positions out of the scan, or the correction that masks them",
            )
        about_mean = self.about_mean if self.method == "pca" else self.method != "nmf"
        known = principal(state, about_mean=about_mean)
        self._check(known, state)
        if self.method == "pca":
            vectors = np.ascontiguousarray(known.vectors[:, : self.count])
            return _with(state, known, vectors, vectors.T, known.mean)
        if self.method == "nmf":
            return self._factorized(state, known, self._nmf_starts(state, known))
        curves, unmix = self._independent(state, known)
        if self.method == "nica_nmf":
            return self._factorized(state, known, [np.maximum(curves, 0)])
        curves, unmix = _scaled(curves, unmix, unmix @ state["total"])
        return _with(state, known, curves, unmix, np.zeros(len(curves)))

    def refined(self, found: Found, sums: nmf.Sums) -> Found:
        """Return non-negative components after a step on all pixels."""
        curves = _in_order(nmf.stepped(found.curves, sums), sums.intensity)
        return Found(curves, found.unmix, found.mean, found.scree, found.squares)

    def _check(self, known: Principal, state: Arrays) -> None:
        least = _NO_VARIANCE * float(state["squares"]) / int(state["count"])
        there = int(np.count_nonzero(known.variances > least))
        if there < self.count:
            raise ProcessError(
                f"components: curves differ in {there} directions, of which {self.count} "
                "components cannot be made",
                f"set n_components to {there} or less" if there else "",
            )

    def _independent(self, state: Arrays, known: Principal) -> tuple[Array, Array]:
        """Return curves A and what gives the sources, of unit variance: y = W V x."""
        k = self.count
        width, vectors = np.sqrt(known.variances[:k]), known.vectors[:, :k]
        sample = _floats(state["sample"])
        white = np.ascontiguousarray((sample @ (vectors / width).astype(sample.dtype)).T)
        turn = nica.rotation(white, nica.starts(k, self.seed), self.most, self.gain)
        return (vectors * width) @ turn.T, turn @ (vectors / width).T

    def _factorized(self, state: Arrays, known: Principal, starts: list[Array]) -> Found:
        sample = _floats(state["sample"])
        squares = sum(
            float(np.vdot(part, part))
            for part in (
                sample[a : a + 65536].astype(np.float64) for a in range(0, len(sample), 65536)
            )
        )
        curves = nmf.factorized(sample, starts, squares, self.most, self.gain)
        few = sample[:: max(1, len(sample) // 8192)].astype(np.float64)
        _, sums = nmf.coefficients(few, curves)
        curves = _in_order(curves, sums.intensity)
        return _with(state, known, curves, np.empty((0, 0)), np.zeros(len(curves)))

    def _nmf_starts(self, state: Arrays, known: Principal) -> list[Array]:
        """Return parts of the principal components, and some pixels' curves."""
        vectors, sample = known.vectors[:, : self.count], state["sample"]
        few = sample[:: max(1, len(sample) // 8192)].astype(np.float64)
        found = [nmf.split_signs(vectors, few @ vectors)]
        bright = np.maximum(few, 0)
        weights = bright.sum(axis=1)
        rng = np.random.default_rng(self.seed)
        if np.count_nonzero(weights) >= self.count:
            for _ in range(_RANDOM_STARTS):
                picked = rng.choice(len(few), self.count, replace=False, p=weights / weights.sum())
                found.append(np.ascontiguousarray(bright[picked].T))
        return found


def _with(state: Arrays, known: Principal, curves: Array, unmix: Array, mean: Array) -> Found:
    shares = known.variances / (known.total or np.nan)
    return Found(curves, unmix, mean, shares, np.asarray(state["squares"]))


def _scaled(curves: Array, unmix: Array, intensity: Array) -> tuple[Array, Array]:
    """Return curves whose values add up to 1 without their signs, the most intense one first."""
    size = np.abs(curves).sum(axis=0)
    order = np.argsort(-(intensity * curves.sum(axis=0)), kind="stable")
    return np.ascontiguousarray((curves / size)[:, order]), (unmix * size[:, None])[order]


def _in_order(curves: Array, intensity: Array) -> Array:
    size = curves.sum(axis=0)
    order = np.argsort(-(intensity * size), kind="stable")
    return np.ascontiguousarray((curves / np.where(size > 0, size, 1))[:, order])


def _floats(sample: NDArray[Any]) -> NDArray[Any]:
    """Return curves as floats: single precision holds counts of up to 24 bits exactly."""
    wide = sample.dtype.itemsize > 4 or (sample.dtype.kind in "iu" and sample.dtype.itemsize > 2)
    return sample.astype(np.float64 if wide else np.float32, copy=False)
