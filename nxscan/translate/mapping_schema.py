"""The JSON schema of mapping files, made from the models, for editors and other programs.

``python -m nxscan.translate.mapping_schema > schemas/mapping.schema.json`` renews the copy that
comes with nxscan.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from nxscan.translate.mapping_model import Mapping


def mapping_schema() -> dict[str, Any]:
    """Return the JSON schema of mapping files.

    >>> mapping_schema()["title"]
    'nxscan mapping file'
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Mapping.model_json_schema(by_alias=True),
        "title": "nxscan mapping file",
    }


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(mapping_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
