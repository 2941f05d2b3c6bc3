"""Chains of NXtransformations from a mapping's rules, in the NeXus frame: z along the beam, y up.

A chain never dangles: a link without a value is reported, and what stood on it stands on the
next link below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.model import Field
from nxscan.translate import nxdl

if TYPE_CHECKING:
    from nxscan.model import Group
    from nxscan.model.metadata import Value
    from nxscan.translate.mapping_apply import Applier, Result
    from nxscan.translate.mapping_model import TransformationRule

    Links = dict[str, TransformationRule]

END = "."


def apply_geometry(applier: Applier) -> None:
    """Write every chain of the mapping for which there are values."""
    for path in dict.fromkeys(link.group for link in applier.mapping.transformations):
        links = {link.name: link for link in applier.mapping.transformations if link.group == path}
        _write_chain(applier, path, links)


def _write_chain(applier: Applier, path: str, links: Links) -> None:
    found: dict[str, Result] = {}
    for name, link in links.items():
        if not _forbidden(applier, link) and (result := applier.find(link, "float")):
            found[name] = result
    if not found:
        for link in links.values():
            applier.missing(link)
        return
    below = {name: _below(applier, links[name], links, found) for name in found}
    group = applier.group(path)
    for name, result in found.items():
        value = result.value
        group.set(name, Field(value, links[name].units, _attributes(links[name], below[name])))
        applier.mapped(links[name], value, result.found.label, result.found.raw)
    for name in links.keys() - found.keys():
        applier.missing(links[name])
    _point_to(applier, path, [name for name in found if name not in below.values()])


def _forbidden(applier: Applier, link: TransformationRule) -> bool:
    """Tell whether a key forbids a link, which then is noted."""
    for key in link.unless:
        if applier.lookup.number(key):
            text = f"{key!r} is not 0, and nothing says how it moves {link.target!r}"
            applier.refused.add(link.target)
            applier.report.note(link.target, text, "describe it as a [[transformation]]")
            return True
    return False


def _below(
    applier: Applier, link: TransformationRule, links: Links, found: dict[str, Result]
) -> str:
    """Return the next link below that has a value, or the end of the chain."""
    passed = {link.name}
    name = link.depends_on
    while name != END and name not in found:
        if name in passed or name not in links:
            text = f"it stands on {name!r}, which the mapping does not describe"
            applier.report.warning(link.target, text, "the chain ends here")
            return END
        text = f"it stands on {name!r}, for which there is no value"
        applier.report.warning(link.target, text, "the chain goes on as if that were 0")
        passed.add(name)
        name = links[name].depends_on
    return name


def _attributes(link: TransformationRule, below: str) -> dict[str, Value]:
    vector = np.array(link.vector)
    attributes: dict[str, Value] = {
        "transformation_type": link.type,
        "vector": vector / np.linalg.norm(vector),
        "depends_on": below,
    }
    if link.offset is not None and link.offset_units is not None:
        attributes |= {"offset": np.array(link.offset), "offset_units": link.offset_units}
    return attributes


def _point_to(applier: Applier, path: str, heads: list[str]) -> None:
    """Let the component that a chain moves depend on the chain's first link."""
    parent, _, name = path.rpartition("/")
    if len(heads) != 1:
        names = ", ".join(heads) or "none: they stand on each other in a circle"
        text = f"the chain has no single first link ({names})"
        applier.report.warning(path, text, "set depends_on so that they form one chain")
        return
    component: Group = applier.group(parent)
    if nxdl.field_definition(component.nx_class, "depends_on"):
        component.set("depends_on", Field(f"{name}/{heads[0]}"))
