"""nxscan."""
