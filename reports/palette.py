"""Colours. Those that carry meaning are Okabe & Ito's (2008), which all eyes can tell apart."""

from __future__ import annotations

BLUE, ORANGE, VERMILLION = "#0072B2", "#E69F00", "#D55E00"
INK, MUTED, LINES, FAINT, CLOUD = "#1B1F24", "#667078", "#B8C0C6", "#E4E8EB", "#9FB3C1"
