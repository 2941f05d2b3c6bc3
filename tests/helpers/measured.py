"""Processes whose memory is measured."""

from __future__ import annotations

import numpy as np

from nxscan import Output, Process
from nxscan.analysis.corrections.binning import Binning
from nxscan.analysis.corrections.roi import Roi
from nxscan.analysis.corrections.threshold import Threshold
from nxscan.model import Axis


class Fit(Process):
    """Center of mass of every pixel, in double precision, with copies."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("center"), Output("width")]

    def compute(self, block):
        data = block.data.astype(float)
        weights = np.arange(len(data)).reshape(-1, 1, 1)
        total = data.sum(axis=0) + 1
        center = (data * weights).sum(axis=0) / total
        return {"center": center, "width": data.std(axis=0)}


class Frame(Process):
    """Sum of every frame."""

    per = "position"

    def outputs(self, scan):
        return [Output("total")]

    def compute(self, block):
        return {"total": block.data.astype(float).sum(axis=(-2, -1))}


class Noisy(Frame):
    """Sum of every frame and its error."""

    name = "noisy"
    wants_variance = True
    wants_valid = True

    def compute(self, block):
        data = block.data.astype(float)
        if block.valid is not None:
            data[~np.broadcast_to(block.valid, data.shape)] = 0
        return {"total": data.sum(axis=(-2, -1)) + block.variance.sum(axis=(-2, -1))}


class Mean(Process):
    """Mean of every pixel, and its variance, as a reduction."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("mean"), Output("variance")]

    def compute(self, block):
        data = block.data.astype(float)
        return {"n": len(data), "s": data.sum(axis=0), "q": (data**2).sum(axis=0)}

    def merge(self, first, second):
        return {name: first[name] + second[name] for name in first}

    def finish(self, state):
        mean = state["s"] / state["n"]
        return {"mean": mean, "variance": state["q"] / state["n"] - mean**2}


class Curves(Process):
    """A long curve of every position: much more than the frames that it comes from."""

    per = "position"

    def outputs(self, scan):
        return [Output("curve", dims=(..., Axis("q", np.arange(2000.0))))]

    def compute(self, block):
        total = block.data.astype(float).sum(axis=(-2, -1))
        return {"curve": total[..., None] + np.arange(2000.0)}


PROCESSES = {cls.name: cls() for cls in (Fit, Frame, Noisy, Mean, Curves)}
CHAINS = {
    "": [],
    "threshold": [Threshold(low=3)],
    "both": [Roi(region=":,4:"), Threshold(low=3), Binning(factor=2)],
}
