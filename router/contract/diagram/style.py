"""Hold the colours and fonts of a picture, light and dark, as CSS.

Colours are written out: not every program that draws SVG knows var().
"""

from __future__ import annotations

TITLE_SIZE, NAME_SIZE, NOTE_SIZE, SMALL_SIZE = 20.0, 12.5, 11.0, 10.0

# Each pair is told from its background and from the others, on a light page and on a dark one.
LINES = (
    ("#2563eb", "#6ea8fe"),
    ("#c2410c", "#ff9e64"),
    ("#15803d", "#56d364"),
    ("#a21caf", "#e58fff"),
    ("#0e7490", "#3fd0e6"),
    ("#be123c", "#ff8a9f"),
    ("#6d28d9", "#b9a3ff"),
    ("#4d7c0f", "#b5e853"),
)
"""The colours of what is used: for a light page and for a dark one."""

_METHODS = {
    "get": ("#dbeafe", "#1e40af", "#14315f", "#a9cbff"),
    "post": ("#dcfce7", "#166534", "#12391f", "#8ce9a8"),
    "put": ("#fef3c7", "#854d0e", "#423006", "#fbd66b"),
    "delete": ("#ffe4e6", "#9f1239", "#4c1420", "#ffa6b4"),
    "other": ("#e8ecf1", "#3d4855", "#2b323c", "#c4cdd8"),
}
METHODS = {"GET": "get", "HEAD": "get", "POST": "post", "PUT": "put", "PATCH": "put", "DELETE": "delete"}

_FIXED = """
.junction{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.junction text{white-space:pre}
.junction .title{font-size:20px;font-weight:650}
.junction .sub{font-size:12px}
.junction .head{font-size:11px;font-weight:600;letter-spacing:.06em}
.junction .panel-title{font-size:11px;font-weight:600}
.junction .name,.junction .method{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.junction .name{font-size:12.5px}
.junction .method{font-size:10px;font-weight:600;text-anchor:middle}
.junction .note{font-size:11px}
.junction .old{text-decoration:line-through}
.junction .line{fill:none;stroke-width:1.6;stroke-linecap:round}
.junction .reads{stroke-dasharray:.1 4.4;stroke-width:2}
.junction .icon{fill:none;stroke-width:1.25;stroke-linecap:round;stroke-linejoin:round}
"""
_THEMED = """
.junction .bg{{fill:{background};stroke:{edge}}}
.junction .box{{fill:{box};stroke:{edge}}}
.junction .panel{{fill:{panel};stroke:{edge}}}
.junction .around{{stroke-dasharray:4 3}}
.junction .title,.junction .name{{fill:{text}}}
.junction .sub,.junction .head,.junction .note,.junction .panel-title{{fill:{quiet}}}
.junction .flow{{stroke:{flow}}}
.junction .tip{{fill:{flow}}}
.junction .sign{{stroke:{quiet}}}
.junction .ground{{fill:{ground}}}
"""
_LIGHT = {
    "background": "#ffffff",
    "edge": "#d5dbe3",
    "box": "#ffffff",
    "panel": "#f5f7fa",
    "text": "#17202c",
    "quiet": "#566272",
    "flow": "#8a97a8",
    "ground": "#eef1f5",
}
_DARK = {
    "background": "#0f141b",
    "edge": "#323c49",
    "box": "#1a212b",
    "panel": "#141a22",
    "text": "#e8edf4",
    "quiet": "#9aa7b7",
    "flow": "#65738a",
    "ground": "#28313d",
}


def css() -> str:
    """Return all rules; those for dark pages follow what the reader's system prefers."""
    dark = "".join(_rules(_DARK, dark=True))
    return f"{_FIXED}{''.join(_rules(_LIGHT, dark=False))}@media (prefers-color-scheme:dark){{{dark}}}\n"


def _rules(colours: dict[str, str], *, dark: bool) -> list[str]:
    found = [_THEMED.format_map(colours)]
    for place, pair in enumerate(LINES):
        colour = pair[dark]
        found.append(f".junction .c{place}{{stroke:{colour}}}\n.junction .f{place}{{fill:{colour}}}\n")
        found.append(f".junction .g{place}{{fill:{colour};fill-opacity:.13}}\n")
    for name, pairs in _METHODS.items():
        ground, letters = pairs[2 * dark : 2 * dark + 2]
        found.append(f".junction .m-{name}{{fill:{ground}}}\n.junction .t-{name}{{fill:{letters}}}\n")
    return found
