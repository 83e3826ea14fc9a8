"""Write the table of all sources into docs/sources.md, as the registry says it: `python -m scripts.sources_table`."""

from __future__ import annotations

import sys
from pathlib import Path

import router
from router.event import Source
from router.sources import load, read
from router.sources._registry import ROWS, Row
from router.testing.samples import SAMPLES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "sources.md"
HEADER = ("source", "class", "recognised by", "delivered as", "records", "`event.typed`")


def table() -> str:
    """Return the table as Markdown, a line for each source in the order of the enum."""
    lines = [HEADER, ("---",) * len(HEADER), *(_line(ROWS[source]) for source in Source)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def with_table(page: str) -> str:
    """Return the text of the page with the table as it has to be. Raises ValueError where the page has none."""
    start = page.index(f"| {' | '.join(HEADER)} |\n")
    end = page.index("\n\n", start) + 1
    return page[:start] + table() + page[end:]


def _line(row: Row) -> tuple[str, ...]:
    kind = row.kind if row.kind_of_list is None else f"{row.kind}; a list: {row.kind_of_list}"
    annotation = row.event if row.event in router.__all__ else "Event"
    records = f"`{row.records}`" if row.records else ""
    return f"`{row.source}`", f"`{annotation}`", _recognised(row), kind, records, _typed(row)


def _recognised(row: Row) -> str:
    said = []
    if row.named:
        said.append("`eventSource` " + ", ".join(f"`{name}`" for name in row.named))
    if row.in_record is not None:
        said.append(f"`Records[0].{row.in_record}`")
    if row.in_context is not None:
        said.append(f"the context alone: `client_context.custom.{row.in_context}`")
    if row.opened:
        said.append(" or ".join(f"`{key}`" for key in row.opened))
    return "; ".join(said) or "nothing else"


def _typed(row: Row) -> str:
    if row.data_class is not None:
        return f"`{row.data_class.rpartition('.')[2]}`"
    choose = getattr(load(row.source), "data_class", None)
    return "the payload decides" if choose is not None and choose(read(SAMPLES[row.source]())[0]) else ""


def main() -> int:
    """Write the page."""
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
