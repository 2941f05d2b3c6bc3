"""Translators for facility formats, each found through its entry point."""
