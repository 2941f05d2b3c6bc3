"""Application definitions of nxscan, as NXDL."""
