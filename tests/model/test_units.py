"""Units that are known without pint are what pint says they are."""

from __future__ import annotations

import pint
import pytest

from nxscan.model import units


@pytest.mark.parametrize("name", sorted(units._COMMON))
def test_a_common_unit_is_what_pint_says(name: str) -> None:
    registry = pint.UnitRegistry()
    assert units.is_unit(name)
    assert units.root_units(name) == str(registry.get_root_units(name)[1])
