"""Damaged input of every kind, and what nxscan makes of it.

``mutate`` damages bytes, ``seeds`` makes the files that are damaged, ``drive`` runs nxscan over
one of them and judges what came out, ``pool`` does so in processes that may hang or crash.
"""
