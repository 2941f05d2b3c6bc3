"""What NeXus' definitions say, read without nexusformat and compared with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nxscan.errors import NxscanError
from nxscan.translate import nxdl


@pytest.mark.parametrize("nx_class", ["NXdetector", "NXsample", "NXbeam", "NXentry", "NXsource"])
def test_fields_and_groups_are_those_that_nexusformat_checks(nx_class: str) -> None:
    validate = pytest.importorskip("nexusformat.nexus.validate")
    validator = validate.get_validator(nx_class)
    partial = set(validator.partial_fields) if hasattr(validator, "partial_fields") else set()
    assert nxdl.fields_of(nx_class) == set(validator.valid_fields) | partial
    theirs = {
        group["@type"] for group in validator.valid_groups.values() if "@type" in group
    } | set()
    assert theirs <= nxdl.groups_of(nx_class) | {"NXgeometry"}


def test_fields_are_inherited() -> None:
    assert {"depends_on", "description", "name"} <= nxdl.fields_of("NXslit")


def test_free_names_match_their_pattern() -> None:
    errors = nxdl.field_definition("NXbeam", "flux_errors")
    assert errors is not None
    assert errors.name == "FIELDNAME_errors"
    anything = nxdl.field_definition("NXtransformations", "mu")
    assert anything is not None
    assert anything.units == "NX_TRANSFORMATION"


def test_closed_enumerations_are_known() -> None:
    probe = nxdl.field_definition("NXsource", "probe")
    assert probe is not None
    assert "x-ray" in probe.choices


@pytest.mark.parametrize("nx_class", ["NXcamera", "detector", "../NXdetector", ""])
def test_a_class_that_nexus_does_not_have_is_refused(nx_class: str) -> None:
    assert not nxdl.class_exists(nx_class)
    with pytest.raises(NxscanError, match="no base class"):
        nxdl.fields_of(nx_class)


def test_definitions_are_read_without_importing_nexusformat() -> None:
    code = (
        "import sys; from nxscan.translate import nxdl; nxdl.fields_of('NXdetector'); "
        "sys.exit('nexusformat' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
