"""Simulated rocking scans: a deformed crystal seen by a camera, with the truth beside it.

The crystal is made of closed formulas (bending, a low-angle boundary, dislocations), the
camera follows nxscan's noise model, and every frame depends on the seed and its number alone.

Examples
--------
>>> scan = rocking_scan(crystal((32, 32)), mu=[-0.01, 0.0, 0.01], seed=1)
>>> scan.frame(1).shape, scan.frame(1).dtype, scan.title
((32, 32), dtype('uint16'), 'ascan mu -0.01 0.01 2 1')

"""

from nxscan.simulate.bliss import BlissScan, write_bliss
from nxscan.simulate.camera import Camera
from nxscan.simulate.crystal import Crystal, Deformation, crystal
from nxscan.simulate.curves import fwhm_to_sigma, sigma_to_fwhm
from nxscan.simulate.edf import write_edf
from nxscan.simulate.microscope import ALUMINUM, IRON, Material, Microscope
from nxscan.simulate.scan import SimulatedScan, realistic_counts, rocking_scan
from nxscan.simulate.trajectory import Trajectory, trajectory
from nxscan.simulate.truth import Truth

__all__ = [
    "ALUMINUM",
    "IRON",
    "BlissScan",
    "Camera",
    "Crystal",
    "Deformation",
    "Material",
    "Microscope",
    "SimulatedScan",
    "Trajectory",
    "Truth",
    "crystal",
    "fwhm_to_sigma",
    "realistic_counts",
    "rocking_scan",
    "sigma_to_fwhm",
    "trajectory",
    "write_bliss",
    "write_edf",
]
