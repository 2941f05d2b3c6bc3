"""Units that SACLA writes at the end of a dataset's name: ``photon_energy_in_eV``."""

from __future__ import annotations

import re

_UNITS = {
    "eV": "eV",
    "joule": "J",
    "volt": "V",
    "ampere": "A",
    "coulomb": "C",
    "meter": "m",
    "degree": "degree",
    "rad": "rad",
    "radian": "rad",
    "sec": "s",
    "second": "s",
    "hertz": "Hz",
    "kelvin": "K",
    "celsius": "degC",
    "pascal": "Pa",
    "watt": "W",
    "percent": "percent",
}
_LETTERS = {"f": "f", "p": "p", "n": "n", "u": "u", "m": "m", "c": "c", "k": "k", "M": "M"}
_WORDS = {
    "femto": "f",
    "pico": "p",
    "nano": "n",
    "micro": "u",
    "milli": "m",
    "centi": "c",
    "kilo": "k",
    "mega": "M",
    "giga": "G",
}
_SUFFIX = re.compile(
    rf"(?P<name>.+?)_in_(?:(?P<word>{'|'.join(_WORDS)})_)?(?P<letter>[fpnumckM])??"
    rf"(?P<unit>{'|'.join(_UNITS)})\Z"
)
_CHEETAH = {
    "photon_energy_ev": ("photon_energy", "eV"),
    "photon_wavelength_A": ("photon_wavelength", "angstrom"),
}


def split_unit(path: str) -> tuple[str, str | None]:
    """Return a dataset's name without the unit at its end, and the unit; None without one.

    >>> split_unit("bl_3/oh_2/photon_energy_in_eV"), split_unit("lh_1/electrical_delay_in_psec")
    (('bl_3/oh_2/photon_energy', 'eV'), ('lh_1/electrical_delay', 'ps'))
    >>> split_unit("pixel_size_in_micro_meter"), split_unit("laser_pulse_selector_status")
    (('pixel_size', 'um'), ('laser_pulse_selector_status', None))
    """
    if path in _CHEETAH:
        return _CHEETAH[path]
    match = _SUFFIX.match(path)
    if match is None:
        return path, None
    prefix = _WORDS.get(match["word"] or "", "") + _LETTERS.get(match["letter"] or "", "")
    if len(prefix) > 1:
        return path, None
    return match["name"], prefix + _UNITS[match["unit"]]
