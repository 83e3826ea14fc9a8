"""Merge into the text of a template: in YAML line by line, so that no line of others changes; or in JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from router.contract import json_text, merging, yaml_text
from router.contract.limits import check_template
from router.contract.merging import MARK, SECTIONS, SERVERLESS
from router.contract.yaml_source import Entry, Source
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.contract.merging import Plan


def is_json(text: str) -> bool:
    """Whether a text is meant as JSON."""
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def merged(text: str, ours: Mapping[str, Any], *, force: bool = False) -> str:
    """Return the text of a template with all of ours in it; where nothing changes, the text itself.

    text: of the template, YAML or JSON.
    ours: what `merging.marked` returned.
    force: whether what is ours is written over where it was edited by hand.

    Raises:
        ConfigurationError: the text is no template, `merging.plan` refuses it, or it becomes more than CloudFormation
            takes.
    """
    if is_json(text):
        return _merged_json(text, ours, force)
    source = Source(text)
    if source.root is None:  # empty, or comments alone
        return source.mark + "".join(source.lines) + yaml_text.write(ours).replace("\n", source.newline)
    plan = merging.plan(source.data, ours, partial(_where, source), force=force)
    if plan.is_empty:
        return text
    after = _Edits(source).apply(plan)
    expected = merging.expected(source.data, plan)
    if Source(after).data != expected:
        raise ConfigurationError(
            "the template cannot be merged into as it is written: write its sections with a line for each name"
        )
    check_template(expected, after)
    return after


# ---- JSON ------------------------------------------------------------------------------------------------------------


def _merged_json(text: str, ours: Mapping[str, Any], force: bool) -> str:
    held = json_text.read(text, "the template")
    plan = merging.plan(merging.canonical(held), ours, partial(_where_json, text), force=force)
    if plan.is_empty:
        return text
    for section in SECTIONS:
        entries = held.get(section) or {}
        for name in plan.drop[section]:
            del entries[name]
        for name, one in plan.put[section].items():
            entries[name] = merging.with_metadata(one, entries.get(name)) if section == "Resources" else one
        if entries or section in held:
            held[section] = entries
        if not entries and plan.drop[section] and section != "Resources":
            del held[section]
    _put_rest(held, plan)
    after = json_text.write(held, text)
    check_template(held, after)
    return after


def _put_rest(held: dict[str, Any], plan: Plan) -> None:
    if plan.marks is not None:
        metadata = {**(held.get("Metadata") or {}), MARK: plan.marks}
        if not plan.marks:
            del metadata[MARK]
        held["Metadata"] = metadata
        if not metadata:
            del held["Metadata"]
    if plan.transform:
        held["Transform"] = merging.transformed(held.get("Transform"))


def _where_json(text: str, section: str, name: str) -> str:
    try:
        return _where(Source(text), section, name)
    except ConfigurationError:
        return ""  # JSON with tabs is no YAML


def _where(source: Source, section: str, name: str) -> str:
    """Return the place of an entry, as the begin of a message."""
    for key, value in source.root.value:
        if key.value == section and not name:
            return f"line {source.line_of(key)}: "
        if key.value == section:
            for inner, _ in value.value if value.id == "mapping" else ():
                if inner.value == name:
                    return f"line {source.line_of(inner)}: "
    return ""


# ---- YAML ------------------------------------------------------------------------------------------------------------


class _Edits:
    """Exchanges lines of a template. source: the template."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._top = source.entries(source.root, source.end_of(source.root))
        self._column = next(iter(self._top.values())).column if self._top else 0
        self._before: dict[int, list[str]] = {}  # by line, what is written before it
        self._instead: dict[int, tuple[int, list[str]]] = {}  # by line, where it ends, and what is written instead

    def apply(self, plan: Plan) -> str:
        """Return the text as the plan has it."""
        if plan.transform:
            self._put_transform()
        if plan.marks is not None:
            marks = {MARK: plan.marks} if plan.marks else {}
            self._edit("Metadata", marks, [] if marks else [MARK])
        for section in SECTIONS:
            if plan.put[section] or plan.drop[section]:
                self._edit(section, plan.put[section], plan.drop[section])
        return self._text()

    def _text(self) -> str:
        lines, found, line = self._source.lines, [self._source.mark], 0
        while line <= len(lines):
            found += self._before.get(line, ())
            end, instead = self._instead.get(line, (line + 1, lines[line : line + 1]))
            found += instead
            line = end
        return "".join(found)

    def _write(self, value: Mapping[str, Any], column: int) -> list[str]:
        return [f"{' ' * column}{line}{self._source.newline}" for line in yaml_text.lines(value)]

    def _insert(self, line: int, lines: Iterable[str]) -> None:
        """Write lines before another one, after what is inserted there already."""
        self._before.setdefault(line, []).extend(lines)

    def _edit(self, section: str, put: Mapping[str, Any], drop: Iterable[str]) -> None:
        """Put entries into a section, and take others out."""
        top = self._top.get(section)
        if top is None:
            self._insert(self._place(section), self._write({section: put}, self._column))
            return
        if top.is_empty:
            self._fill(top, put)
            return
        entries = self._source.entries(top.value, top.end)
        gone = set(drop)
        if gone >= entries.keys() and not put and section != "Resources":
            self._instead[top.line] = (top.end, [])
            return
        for name in gone:
            self._instead[entries[name].line] = (entries[name].end, [])
        last = max(entries.values(), key=lambda entry: entry.end)
        for name, value in put.items():
            if name in entries:
                self._instead[entries[name].line] = (entries[name].end, self._updated(entries[name], value))
            else:
                self._insert(last.end, self._write({name: value}, last.column))
        if gone >= entries.keys() and not put:
            self._instead[top.line] = (top.end, self._write({section: {}}, top.column))

    def _fill(self, top: Entry, put: Mapping[str, Any]) -> None:
        """Write the entries of a section that has none."""
        source = self._source
        line, column = source.position(top.value.start_mark)
        end_line, end_column = source.position(top.value.end_mark)
        text = source.lines[top.line]
        if not top.value.value and top.value.id == "scalar":  # nothing at all, whose place is that of what follows
            line = end_line = top.line
            column = end_column = text.index(":", top.column + len(top.name)) + 1
        if end_line == line == top.line:
            rest = text[end_column:].strip()
            kept = text[:column].rstrip() + (f"  {rest}" if rest else "") + source.newline
            following = source.lines[line + 1 : top.end]
            self._instead[line] = (top.end, [kept, *self._write(put, top.column + 2), *following])
        else:
            self._instead[top.line] = (top.end, self._write({top.name: put}, top.column))

    def _updated(self, entry: Entry, value: Mapping[str, Any]) -> list[str]:
        """Return the lines of an entry that is there. Metadata that others gave it stays as it is written."""
        source = self._source
        is_block = entry.value.id == "mapping" and not entry.value.flow_style
        inner = source.entries(entry.value, entry.end) if is_block else {}
        metadata = inner.get("Metadata")
        if metadata is None or metadata.is_empty or "Metadata" not in value or len(metadata.value.value) == 1:
            return self._write({entry.name: value}, entry.column)
        mark = next(held for key, held in metadata.value.value if key.value == MARK)
        line, begin = source.position(mark.start_mark)
        _, end = source.position(mark.end_mark)
        kept = source.lines[metadata.line : metadata.end]
        text = source.lines[line]
        kept[line - metadata.line] = f"{text[:begin]}{value['Metadata'][MARK]}{text[end:]}"
        plain = {name: one for name, one in value.items() if name != "Metadata"}
        return self._write({entry.name: plain}, entry.column) + _shifted(kept, entry.column + 2 - metadata.column)

    def _place(self, section: str) -> int:
        """Return the line before which a section belongs: before those that come after it, and their comments."""
        order = ("Metadata", *SECTIONS)
        later = [self._top[name].line for name in order[order.index(section) + 1 :] if name in self._top]
        if not later:
            return self._source.end_of(self._source.root)
        line = min(later)
        while line and self._source.lines[line - 1].startswith((" " * self._column + "#", "#")):
            line -= 1
        return line

    def _put_transform(self) -> None:
        top, source = self._top.get("Transform"), self._source
        if top is None or top.is_empty:
            version = self._top.get("AWSTemplateFormatVersion")
            lines = self._write({"Transform": SERVERLESS}, self._column)
            if top is not None:
                self._instead[top.line] = (top.end, lines)
            else:
                self._insert(version.end if version else min(one.line for one in self._top.values()), lines)
            return
        node = top.value
        line, begin = source.position(node.start_mark)
        end_line, end = source.position(node.end_mark)
        if node.id == "sequence" and not node.flow_style:
            begin = source.position(node.value[0].start_mark)[1] - 2
            self._insert(top.end, [f"{' ' * max(begin, 0)}- {SERVERLESS}{source.newline}"])
            return
        if line != end_line:
            source.refuse(node, f"add {SERVERLESS} to your Transform: it is written over several lines")
        text, told = source.lines[line], source.lines[line][begin:end]
        told = f"{told[:-1].rstrip()}, {SERVERLESS}]" if node.id == "sequence" else f"[{told}, {SERVERLESS}]"
        self._instead[line] = (line + 1, [f"{text[:begin]}{told}{text[end:]}"])


def _shifted(lines: Iterable[str], by: int) -> list[str]:
    """Return lines that begin further to the right, or to the left where `by` is negative."""
    return [" " * by + line if by >= 0 else line[-by:] if not line[:-by].strip(" ") else line for line in lines]
