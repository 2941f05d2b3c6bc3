"""Mapping files that come with nxscan: data, read through ``nxscan.translate.mapping``."""
