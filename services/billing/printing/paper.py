"""A tagged page: US Letter, a title, a language, and a structure that a screen reader can follow (PDF 1.7, ISO 32000-1, 14.7 and 14.8).

fpdf2 writes the structure tree but offers tags only for headings of an outline and for pictures; the tag of a line of text is made
here with the same builder. Each line is one element, in reading order.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from typing import Final, cast

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.prefs import ViewerPreferences

# The subset of a font is the letters of a name.
for _name in ("fpdf", "fontTools"):
    logging.getLogger(_name).setLevel(logging.ERROR)

_FONT: Final = "Roboto"
_FILES: Final = files("font_roboto") / "files"
_MARGIN_MM: Final = 20
_LINE_MM: Final = 5.5
_BODY_PT: Final = 10
_SMALL_PT: Final = 8.5
_HEADINGS_PT: Final = {1: 18, 2: 12.5}

# A cell: its text, its width in millimetres, "L" or "R".
Cell = tuple[str, float, str]


class Paper(FPDF):
    """A document of lines, headings and rows."""

    def __init__(self, title: str, at: datetime) -> None:
        super().__init__(orientation="portrait", unit="mm", format="letter")
        self.set_title(title)
        self.set_lang("en-US")
        self.set_author("Saguaro")
        self.set_creation_date(at)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(False)
        self.add_font(_FONT, "", str(_FILES / "Roboto-Regular.ttf"))
        self.add_font(_FONT, "B", str(_FILES / "Roboto-Bold.ttf"))
        self.add_page()
        self.heading(title, 1)

    def heading(self, text: str, level: int) -> None:
        """A heading of level 1 or 2."""
        self._room_for(3 * _LINE_MM)
        if level > 1:
            self.ln(_LINE_MM / 2)
        self.set_font(_FONT, "B", _HEADINGS_PT[level])
        with self._tagged(f"/H{level}"):
            self.cell(0, _HEADINGS_PT[level] * 0.6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def line(self, text: str, *, bold: bool = False, small: bool = False) -> None:  # type: ignore[override]
        """A paragraph, broken where it must be; each part of it is an element."""
        self.set_font(_FONT, "B" if bold else "", _SMALL_PT if small else _BODY_PT)
        parts = self.multi_cell(0, _LINE_MM, text, dry_run=True, output="LINES", align="L")
        for part in cast(list[str], parts):
            self._room_for(_LINE_MM)
            with self._tagged("/P"):
                self.cell(0, _LINE_MM, part, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def row(self, cells: Sequence[Cell], *, bold: bool = False) -> None:
        """Cells beside each other, read as one line from left to right."""
        self._room_for(_LINE_MM)
        self.set_font(_FONT, "B" if bold else "", _BODY_PT)
        with self._tagged("/P"):
            for text, width_mm, align in cells:
                self.cell(width_mm, _LINE_MM, self._fitting(text, width_mm), align=align)
        self.ln(_LINE_MM)

    def footer(self) -> None:
        """The number of the page: no content, so an artifact."""
        self.set_y(-15)
        self.set_font(_FONT, "", _SMALL_PT)
        self._out("/Artifact BMC")
        self.cell(0, _LINE_MM, f"Page {self.page_no()}", align="C")
        self._out("EMC")

    def content(self) -> bytes:
        """The finished document."""
        return bytes(self.output())

    def _room_for(self, height_mm: float) -> None:
        if self.get_y() + height_mm > self.h - _MARGIN_MM:
            self.add_page()

    def _fitting(self, text: str, width_mm: float) -> str:
        """The text, shortened where it would run into the next cell."""
        while text and self.get_string_width(text) > width_mm - 2 * self.c_margin:
            text = text[:-2].rstrip() + "…" if len(text) > 2 else ""
        return text

    @contextmanager
    def _tagged(self, kind: str) -> Iterator[None]:
        marked = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=kind, mcid=marked)
        self._out(f"{kind} <</MCID {marked}>> BDC")
        yield
        self._out("EMC")
