"""``nxscan translators``: which formats can be read."""

from nxscan.cli.render import echo, table


def translators() -> None:
    """List the formats that can be read.

    Translators of other packages are included.
    """
    from nxscan.translate.registry import translators as installed

    rows = [
        (name, one.description or "-", type(one).__module__)
        for name, one in sorted(installed().items())
    ]
    echo(table(rows, ("name", "reads", "from")))
