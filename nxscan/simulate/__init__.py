"""Simulated scans with the truth beside them: a deformed crystal rocked, an XFEL's shots.

The crystal is made of closed formulas (bending, a low-angle boundary, dislocations), the
camera follows nxscan's noise model, and every frame depends on the seed and its number alone.
Shots of SACLA are powder rings whose radius, center and angular correlation are known.

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
from nxscan.simulate.images import write_cbf, write_tiff
from nxscan.simulate.microscope import ALUMINUM, IRON, Material, Microscope
from nxscan.simulate.mpccd import Mpccd
from nxscan.simulate.powder import Ring, powder_rings
from nxscan.simulate.sacla import sacla_run
from nxscan.simulate.sacla_cheetah import write_cheetah
from nxscan.simulate.sacla_file import write_sacla
from nxscan.simulate.sacla_shots import ShotPlan
from nxscan.simulate.sacla_table import write_scan_table
from nxscan.simulate.sacla_truth import SaclaRun, SaclaTruth
from nxscan.simulate.scan import SimulatedScan, realistic_counts, rocking_scan
from nxscan.simulate.speckle import Speckle
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
    "Mpccd",
    "Ring",
    "SaclaRun",
    "SaclaTruth",
    "ShotPlan",
    "SimulatedScan",
    "Speckle",
    "Trajectory",
    "Truth",
    "crystal",
    "fwhm_to_sigma",
    "powder_rings",
    "realistic_counts",
    "rocking_scan",
    "sacla_run",
    "sigma_to_fwhm",
    "trajectory",
    "write_bliss",
    "write_cbf",
    "write_cheetah",
    "write_edf",
    "write_sacla",
    "write_scan_table",
    "write_tiff",
]
