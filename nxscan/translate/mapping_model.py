"""What a mapping file may say, as pydantic models: the format's one definition.

The JSON schema in ``schemas/mapping.schema.json`` is made from these models.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Transform = Literal[
    "float",
    "int",
    "text",
    "negate",
    "scale",
    "isotime_from_epoch",
    "isotime_from_ctime",
    "isotime_from_iso",
    "wavelength_from_energy",
    "energy_from_wavelength",
]
"""What may be done to a raw value; there is no code in mapping files."""

Scalar = str | bool | int | float
STATED = "@units"
"""As a raw value's unit: what the file states in the attribute ``units``."""
Vector = tuple[float, float, float]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(_Table):
    """What is known of a motor or counter: its unit, its name for people, what a raw step is."""

    units: str | None = Field(None, description="unit as pint names it; absent if not known")
    long_name: str = Field("", description="name for plots and people")
    factor: float | None = Field(
        None,
        description="`units` for each step of the raw number, such as a motor's pulse: the value "
        "is factor * raw + offset",
    )
    offset: float | None = Field(None, description="value in `units` where factor * raw is 0")

    @property
    def is_calibrated(self) -> bool:
        """Whether raw numbers are steps, and not in ``units`` already."""
        return self.factor is not None or self.offset is not None

    @property
    def slope(self) -> float:
        """``factor``; 1 without one."""
        return 1.0 if self.factor is None else self.factor

    def calibrated(self, raw: Any) -> Any:
        """Return raw numbers in ``units``.

        >>> Known(units="fs", factor=6.5, offset=-13.0).calibrated(4)
        13.0
        """
        return self.slope * raw + (self.offset or 0.0)


class Candidate(_Table):
    """One raw key that may hold a value, with what is special about it."""

    key: str = Field(description="raw key, case-sensitive; * stands for any text", min_length=1)
    entries: tuple[str, ...] = Field(
        (),
        description="names whose values are taken from a list of positions (a `pairs` key); "
        "several make an array",
    )
    units_in: str | None = Field(None, description="unit of the raw value, where it is special")
    transform: Transform | None = Field(None, description="transform, where it is special")
    description: str = Field("", description="where the unit or meaning comes from")

    @property
    def label(self) -> str:
        """Key and entries as reports show them."""
        return f"{self.key}[{' '.join(self.entries)}]" if self.entries else self.key


def _as_candidate(value: Any) -> Any:
    return {"key": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


_One = Annotated[Candidate, BeforeValidator(_as_candidate, json_schema_input_type=str | Candidate)]
_Candidates = Annotated[
    tuple[_One, ...],
    BeforeValidator(_as_list, json_schema_input_type=str | Candidate | list[str | Candidate]),
]


class Rule(_Table):
    """What field rules and transformations share: where a number comes from."""

    target: str = Field(description="path below the entry: groups, then a name", min_length=1)
    sources: _Candidates = Field(
        (), alias="from", description="raw keys in order of preference; the first found is used"
    )
    units_in: str | None = Field(
        None,
        description="unit of the raw values; `@units` is what an HDF5 file states in the "
        "attribute of this name",
    )
    units: str | None = Field(None, description="unit of the NeXus field")
    transform: Transform | None = Field(
        None, description="what is done to the raw value; by default the field's type decides"
    )
    factor: float | None = Field(None, description="factor of the transform `scale`")
    required: bool = Field(False, description="without it, there is no translation")
    within: tuple[float, float] | None = Field(
        None, description="lowest and highest plausible value, in `units`; others are reported"
    )
    per_frame: bool = Field(False, description="may have one value for each frame")
    description: str = Field("", description="where the unit or meaning comes from")

    def transform_of(self, candidate: Candidate) -> Transform | None:
        """Return the transform that applies to a candidate."""
        return candidate.transform or self.transform

    def units_of(self, candidate: Candidate) -> str | None:
        """Return the unit of a candidate's raw value."""
        return candidate.units_in if candidate.units_in is not None else self.units_in


class FieldRule(Rule):
    """One NeXus field and where it comes from."""

    default: Scalar | None = Field(None, description="value where no key is found, in `units`")
    pick: Literal["min", "max"] | None = Field(
        None, description="take the lowest or highest value (or earliest, latest time) of all"
    )


class TransformationRule(Rule):
    """One link of a chain of NXtransformations, in the NeXus frame (z along the beam, y up)."""

    type: Literal["translation", "rotation"] = Field(description="what the link does")
    vector: Vector = Field(description="direction of a translation, or axis of a rotation")
    offset: Vector | None = Field(None, description="a shift before the link")
    offset_units: str | None = Field(None, description="unit of `offset`")
    depends_on: str = Field(
        ".", description="name of the link in the same group that it stands on; . ends the chain"
    )
    unless: tuple[str, ...] = Field(
        (), description="raw keys that forbid the link where they are there and not 0"
    )

    @property
    def group(self) -> str:
        """Path of the NXtransformations group."""
        return self.target.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Name of the link in its group."""
        return self.target.rpartition("/")[2]


class Pair(_Table):
    """Two raw keys that list names and values of the same things, separated by blanks."""

    mnemonics: str = Field(description="key that lists the names")
    positions: str = Field(description="key that lists the values")
    what: Literal["motors", "counters", "sample", "other"] = Field(description="what they are")


class TimeKey(_Table):
    """A raw key that holds an absolute time."""

    key: str = Field(description="raw key")
    format: Literal["epoch", "ctime", "iso"] = Field(
        description="seconds since 1970 in UTC, or text like Thu Apr 26 15:40:06 2012 or "
        "2012-04-26T15:40:06"
    )


class ScanRule(_Table):
    """Which groups of an HDF5 file are scans."""

    groups: tuple[str, ...] = Field(
        (),
        description="groups that hold one scan each, such as `*` or `/entry`; * stands for any "
        "text without /; by default every NXentry, or the file itself",
    )
    title: _Candidates = Field((), description="where a scan's title is")
    command: _Candidates = Field((), description="where the scan command is")
    start: _Candidates = Field((), description="where the time of the start is")
    join: str | None = Field(
        None,
        description="value below the group that tells the scans of a series apart: they are "
        "joined into one, with this as the slow axis, called by its last name",
    )

    def stated(self) -> dict[str, Any]:
        """Return what the mapping file says of scans, and no defaults."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class SignalRule(_Table):
    """Frames of one detector in an HDF5 file."""

    name: str = Field("detector", description="name of the detector's group")
    sources: _Candidates = Field(
        alias="from",
        description="datasets below the scan's group (`/…` is below the file) in order of "
        "preference; a name with * (any text without /) that fits several datasets takes them "
        "one after the other, in natural order",
    )
    role: Literal["scan", "dark", "flat", "mask"] = Field("scan", description="what the frames are")
    rank: Literal[0, 1, 2] = Field(
        2, description="dimensions of one frame: 2 for an image, 1 for a spectrum, 0 for a number"
    )
    units: str | None = Field(None, description="unit of the values")
    good: int | None = Field(None, description="of a mask: the value of good pixels")
    bad: int | None = Field(None, description="of a mask: the value of bad pixels")
    required: bool = Field(True, description="of dark, flat, mask: without it, no translation")
    description: str = Field("", description="what it is, for people")


class AxisRule(_Table):
    """One axis of a scan in an HDF5 file."""

    name: str = Field(description="name of the axis", min_length=1)
    sources: _Candidates = Field(
        (),
        alias="from",
        description="datasets or attributes (`path@name`) below the scan's group, best first; "
        "readings in the scan's own shape will do",
    )
    first: float | str | None = Field(
        None,
        description="in place of `from`: a number in `units`, or a key that holds it; values go "
        "evenly from `first` to `last`, or an integrated axis is swept between them in each frame",
    )
    last: float | str | None = Field(None, description="where it ends; see `first`")
    units_in: str | None = Field(
        None, description="unit of the raw values; `@units` is what the file states"
    )
    units: str | None = Field(None, description="unit of the axis")
    long_name: str = Field("", description="name for plots and people")
    role: Literal["scan", "integrated", "detector"] = Field(
        "scan", description="scanned between frames, swept within each, or across the detector"
    )
    dimension: int | None = Field(
        None,
        ge=0,
        description="dimension of the data that it runs along, 0 the slowest; without it, the "
        "axes are found from the values",
    )
    required: bool = Field(True, description="without it, there is no translation")
    description: str = Field("", description="where the unit or meaning comes from")


class ApplicationRule(_Table):
    """The application definition that scans of an instrument follow."""

    definition: str = Field(description="its name, one of those that come with nxscan")
    when: tuple[str, ...] = Field(
        description="motors that must be there, and have stood still, for a scan to be one"
    )


class Mapping(_Table):
    """How an instrument's raw keys become NeXus fields."""

    name: str = Field(description="short name of the mapping", min_length=1)
    description: str = Field("", description="which instruments and files it is for")
    replace: bool = Field(False, description="use this file alone instead of extending the builtin")
    time_zone: str | None = Field(
        None,
        description="zone of times that have none: an IANA name, or an offset such as +02:00",
    )
    scan_keys: tuple[str, ...] = Field((), description="keys that tell scans in one folder apart")
    time_keys: tuple[TimeKey, ...] = Field((), description="times of a frame, best first")
    pairs: tuple[Pair, ...] = Field((), description="pairs of keys that list names and values")
    not_motors: tuple[str, ...] = Field(
        (), description="keys that may vary and are no motors; * stands for any text"
    )
    groups: dict[str, str] = Field(
        {}, description="NeXus class of a group by its path, where its name does not tell"
    )
    application: ApplicationRule | None = Field(
        None, description="the application definition that scans follow"
    )
    scans: ScanRule = Field(ScanRule(), description="scans in an HDF5 file")
    signals: tuple[SignalRule, ...] = Field((), alias="signal", description="frames in HDF5 files")
    axes: tuple[AxisRule, ...] = Field((), alias="axis", description="axes in HDF5 files")
    motors: dict[str, Known] = Field({}, description="units and names of motors")
    counters: dict[str, Known] = Field({}, description="units and names of counters")
    fields: tuple[FieldRule, ...] = Field((), alias="field", description="the NeXus fields")
    transformations: tuple[TransformationRule, ...] = Field(
        (), alias="transformation", description="the geometry"
    )

    def known_groups(self) -> dict[str, str]:
        """Return the classes of groups by their paths: those stated, and detectors of signals."""
        return {f"instrument/{one.name}": "NXdetector" for one in self.signals} | self.groups

    def never_a_motor(self, key: str) -> bool:
        """Tell whether ``not_motors`` or ``time_keys`` names a raw key.

        >>> Mapping(name="mine", not_motors=("acq_*",)).never_a_motor("acq_mode")
        True
        """
        times = any(time.key == key for time in self.time_keys)
        return times or any(key_matches(pattern, key) for pattern in self.not_motors)


def key_matches(pattern: str, key: str) -> bool:
    """Tell whether a raw key is the one that a mapping names; * stands for any text.

    >>> key_matches("pixel *-size (um)", "pixel X-size (um)"), key_matches("Mu", "mu")
    (True, False)
    """
    if "*" not in pattern:
        return pattern == key
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), key, re.DOTALL) is not None
