"""What the pages share: a place to work in, commands and their output, pictures."""

from nxdocs.shell import shell
from nxdocs.work import work

__all__ = ["shell", "work"]
