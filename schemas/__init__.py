"""Schemas that come with nxscan: data, read through ``importlib.resources``.

``mapping.schema.json`` describes mapping files; it is made from the models in
``nxscan.translate.mapping_model`` by ``python -m nxscan.translate.mapping_schema``.
"""
