"""Sphinx configuration. Build with ``make docs``, or from this folder as docs/contributing says.

The pages run against the nxscan that is installed: the repository's root stays off the path,
because the package is whole only once it is installed.
"""

import logging
import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

_HERE = Path(__file__).resolve().parent

# what the pages' own code needs, here and in the kernels that run it
_CODE = str(_HERE / "code")
sys.path.insert(0, _CODE)
_PATHS = [_CODE, os.environ.get("PYTHONPATH", "")]
os.environ.update(
    PYTHONPATH=os.pathsep.join(path for path in _PATHS if path),
    PYTHONSAFEPATH="1",
    NXDOCS_WORK=str(_HERE / "_build" / "work"),
    HDF5_USE_FILE_LOCKING="FALSE",
)

# an IPython of the pages' own: no user's profile, and no remarks of the kernel on the console
_PROFILE = _HERE / "_build" / "ipython" / "profile_default"
_PROFILE.mkdir(parents=True, exist_ok=True)
(_PROFILE / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
os.environ["IPYTHONDIR"] = str(_PROFILE.parent)

logging.getLogger("traitlets").setLevel(logging.WARNING)  # of the client that runs the pages

project = "nxscan"
author = "The nxscan developers"
copyright = "The nxscan developers"  # noqa: A001  the name that Sphinx reads
version = release = installed("nxscan")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "code"]
source_suffix = {".md": "myst-nb"}
language = "en"
# in the types of parameters, words such as "shape" are no references
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"nxscan {version}"
html_static_path = ["_static"]
html_css_files = ["nxscan.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_show_tb = True  # with -W an error stops the build, after all pages were tried
nb_execution_timeout = 180
nb_merge_streams = True
nb_render_markdown_format = "gfm"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_preprocess_types = False

copybutton_prompt_text = r">>> |\$ "
copybutton_prompt_is_regexp = True
copybutton_selector = "div.highlight-console pre, div.highlight-toml pre, div.cell_input pre"
