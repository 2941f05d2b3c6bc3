"""Earlier results that a process needs, as its blocks get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.correction import Layout


@dataclass(frozen=True, eq=False)
class Required:
    """The outputs of an earlier result. It can be pickled.

    Attributes
    ----------
    outputs : mapping of str to Scan
        Each output with its axes, read when it is asked for.

    """

    outputs: Mapping[str, Scan]

    def part(self, layout: Layout, region: Selection) -> Mapping[str, NDArray[Any]]:
        """Return every output, of the dimensions that it shares with a block the block's part.

        Each is read when it is asked for: a result may have many.
        """
        return _Parts(self.outputs, layout, region)


class _Parts(Mapping[str, "NDArray[Any]"]):
    """The outputs of an earlier result along a block."""

    def __init__(self, outputs: Mapping[str, Scan], layout: Layout, region: Selection) -> None:
        self._outputs, self._layout, self._region = outputs, layout, region

    def __getitem__(self, name: str) -> NDArray[Any]:
        return _part(self._outputs[name], self._layout, self._region)

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)


def _part(scan: Scan, layout: Layout, region: Selection) -> NDArray[Any]:
    where: list[slice] = []
    for axis in scan.main_axes():
        shared = layout.axes.get(axis.name)
        if shared is None or len(shared) != len(axis):
            where.append(slice(None))
        else:
            where.append(region[shared.dimension])
    return scan.signal.read(tuple(where))
