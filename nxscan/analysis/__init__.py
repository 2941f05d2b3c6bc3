"""Analyses: one process a module, and the corrections they are read through."""
