"""Division by the transmission of an attenuator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.scaling import Scaling
from nxscan.analysis.corrections.steps import per_position
from nxscan.errors import ProcessError
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan

_NAMED = 8


class Transmission(Correction):
    """Divide each frame by the transmission T of an attenuator, a number or a counter.

    T must be above 0 and at most 1 in every position; anything else is an error that names the
    frames. (CREDO's pipeline lets T = 0 pass, and divides by it.)
    """

    name = "transmission"

    class Parameters(ProcessParameters):
        """What a user may set."""

        value: float | None = Field(
            None,
            gt=0,
            le=1,
            description="Transmission of all frames.",
            json_schema_extra={"units": ""},
        )
        counter: str | None = Field(
            None, description="Counter that has the transmission of each frame."
        )

    def bind(self, scan: Scan, layout: Layout) -> Scaling:
        """Find the transmissions and check them."""
        given = self.parameters
        if (given.value is None) == (given.counter is None):
            raise ProcessError(
                "correction transmission needs a value or a counter, one of the two",
                "give value=0.1 or counter=NAME",
            )
        if given.counter is None:
            shape = layout.shape[: layout.scan_rank]
            return Scaling(before=layout, factors=np.full(shape, 1 / given.value))
        passed = per_position(scan, given.counter, layout, self.name)
        _check(passed, given.counter)
        return Scaling(before=layout, factors=1 / passed)


def _check(passed: NDArray[np.float64], name: str) -> None:
    wrong = np.argwhere(~((passed > 0) & (passed <= 1)))
    if not len(wrong):
        return
    named = ", ".join(
        f"{tuple(int(k) for k in where)}: {passed[tuple(where)]:g}" for where in wrong[:_NAMED]
    )
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    raise ProcessError(
        f"correction transmission: {name!r} must be above 0 and at most 1, but is not for "
        f"{len(wrong)} of {passed.size} frames (position: value): {named}{more}"
    )
