"""How a verb shows its help: arguments by their names, without Python's types."""

from typing import Any

from typer.core import TyperCommand


class Verb(TyperCommand):
    """A command whose help says ``SOURCE...``, where typer's may say ``SOURCE <list[str]>``."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line; only what may be left out is in brackets."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.translate({ord("{"): None, ord("}"): None}) for piece in pieces]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            name, text = record
            if parameter.param_type_name == "argument":
                several = "..." if parameter.nargs != 1 else ""
                sections["Arguments"].append((name.split()[0].rstrip(".") + several, text))
            else:
                sections["Options"].append((name, text))
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
