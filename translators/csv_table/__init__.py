"""Tables of positions as text: CSV and its kin."""

from nxscan.translators.csv_table.translator import CsvTranslator

__all__ = ["CsvTranslator"]
