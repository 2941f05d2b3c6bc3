"""Geometry of the far-field detector and of the dark-field X-ray microscope: formulas alone.

Nothing here knows a scan or a file: numbers and arrays go in and come out, angles in radians.

References
----------
Poulsen et al. (2017), J. Appl. Cryst. 50, 1441-1456: laboratory frame, goniometer, imaging system.
Poulsen et al. (2021), J. Appl. Cryst. 54, 1555-1571: sample coordinates (eqs. 7, 8), components of
the scattering vector (eqs. 43-45).
"""
