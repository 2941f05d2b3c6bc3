"""Compiled inner loops: plain arrays in and out."""
