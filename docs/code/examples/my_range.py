from nxscan import Output, Process, ProcessParameters


class Range(Process):
    """Largest minus smallest count of every pixel."""

    per = "pixel"

    class Parameters(ProcessParameters):
        scale: float = 1.0

    def outputs(self, scan):
        return [Output("range", units="counts", default=True)]

    def compute(self, block):
        frames = block.frames.astype(float)
        return {"range": self.parameters.scale * (frames.max(axis=0) - frames.min(axis=0))}
