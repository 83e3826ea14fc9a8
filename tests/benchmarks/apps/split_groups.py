"""Groups of an application that is deployed as several functions: the one of this function, and those of others."""

import csv
import html.parser
import xml.sax

from router import Router

LOADED = (csv, html.parser, xml.sax)  # what the handlers of the others import


def group(number: int) -> Router:
    """Return a group of ten routes."""
    made = Router(f"/group{number}")
    for route in range(10):

        @made.get(f"/items{route}/{{item_id}}")
        def show(item_id: str) -> dict[str, str]:
            return {"id": item_id}

    return made


for _number in range(1, 12):
    globals()[f"group{_number}"] = group(_number)
