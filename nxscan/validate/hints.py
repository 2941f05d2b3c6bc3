"""What to do about what other validators say: one line for each kind of message."""

from __future__ import annotations

import re

from nxscan.validate.finding import Source

_HINTS: tuple[tuple[Source, str, str], ...] = (
    (
        "nexusformat",
        r"is not defined in NX",
        "use a name of that class (manual.nexusformat.org/classes), or an NXparameters field",
    ),
    ("nexusformat", r"Units of .* not specified", "give the field a @units attribute"),
    ("nexusformat", r"is not valid in NeXus", "use letters, digits and _, and no digit first"),
    ("nexusformat", r"no NeXus base class assigned", "give the group an NX_class attribute"),
    ("nexusformat", r"is an invalid class in", "move the group to where its class is allowed"),
    ("nexusformat", r"is not a valid base class", "use a class of the NeXus manual"),
    ("nexusformat", r'"@axes" is not present', "name one axis for each dimension in @axes"),
    ("nexusformat", r'"@axes" length', "name one axis for each dimension in @axes"),
    ("nexusformat", r'"@signal" is not present', "name the signal in @signal"),
    ("nexusformat", r"is not present in the group", "write that field, or correct the attribute"),
    ("nexusformat", r"size is inconsistent", "give one value for each signal value, or one more"),
    ("nexusformat", r"broken link", "restore what the link leads to, or remove it"),
    ("nexusformat", r"is not a valid NX_DATE_TIME", "write 2026-01-31T12:00:00+01:00"),
    ("nexusformat", r"is not a valid NX_", "write the field in the type that its class defines"),
    ("nexusformat", r"This required .* is not in", "the application definition needs it: add it"),
    ("nexusformat", r"member of the enumerated list", "use one of the values of the NeXus manual"),
    ("nexusformat", r"is now deprecated", "use what the message names instead"),
    ("nexusformat", r"application definition .* does not exist", "correct or remove 'definition'"),
    ("punx", r"not valid with NeXus", "use letters, digits and _, and no digit first"),
    ("punx", r"unrecognized NXDL|not a recognized NXDL", "use a class or definition of the manual"),
    ("punx", r"no default plot", "set @default down to an NXdata with @signal"),
    ("punx", r"not found|did not find|does not exist", "write what is named, or correct the name"),
    ("punx", r"absolute HDF5 address", "write @target as a path that starts with /"),
    ("silx", r"Axis .* number of elements", "silx needs as many axis values as signal values"),
    ("silx", r"Axis .* is not 1D", "name only 1-D fields in @axes"),
    ("silx", r"axis dataset|signal dataset", "write what is named, or correct the name"),
    ("silx", r"not enough @axes", "name one axis for each dimension in @axes"),
)


def hint_for(source: Source, message: str) -> str:
    """Return what to do about a validator's message; empty where nothing fits.

    >>> hint_for("punx", "no default plot described")
    'set @default down to an NXdata with @signal'
    """
    return next(
        (hint for who, pattern, hint in _HINTS if who == source and re.search(pattern, message)), ""
    )
