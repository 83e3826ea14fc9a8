"""Bodies that are not JSON: HTML forms (urlencoded and multipart, with files) and XML. Loaded when the first is read.

Multipart bodies are cut by their boundary alone, byte for byte: an email parser would change line ends and 8-bit data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from router.errors import UnsupportedMediaType
from router.http.charsets import charset_of, known
from router.http.headers import Headers, QueryParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn
    from xml.etree.ElementTree import Element, XMLParser

    from router.event import Event

MOST_FIELDS = 1_000  # of a form
_MOST_HEADER_BYTES = 16_384  # of one part
MOST_XML_LEVELS = 200
_PIECE = 16_384  # characters of a form that are decoded at a time
_XML_CHUNK = 65_536  # bytes given to the parser at a time, so that it stops soon after an element is refused

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class Upload:
    """A file of a form. `filename` is as it was sent, without directories; like all of it, the client's word."""

    __slots__ = ("content", "content_type", "filename", "headers")

    def __init__(self, filename: str, content_type: str, content: bytes, headers: Headers) -> None:
        self.filename = filename
        self.content_type = content_type
        self.content = content
        self.headers = headers

    def __repr__(self) -> str:
        return f"<Upload {self.filename!r} {self.content_type} {len(self.content)} bytes>"


class Form(Mapping[str, str]):
    """A form: `form["name"]` is the last value of a field, `getall` each of them, `files` the uploads by field name."""

    __slots__ = ("fields", "files")

    def __init__(self, fields: Mapping[str, list[str]], files: dict[str, list[Upload]]) -> None:
        self.fields = QueryParams(fields)
        self.files = files

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        return f"<Form fields={list(self.fields)} files={list(self.files)}>"

    def getall(self, name: str) -> list[str]:
        """Each value of a field, in order; an empty list for none."""
        return self.fields.getall(name)


def read_form(event: Event) -> Form:
    """The form in an event's body."""
    declared = event.headers.get("content-type", "")
    kind, parameters = _media_type(declared)
    if kind == _URLENCODED:
        return _urlencoded(event)
    if kind != _MULTIPART:
        _refuse_type(event, declared, f"{_URLENCODED} or {_MULTIPART}")
    return _Multipart(event, _boundary(event, parameters)).form()


def _refuse_type(event: Event, declared: str, expected: str) -> NoReturn:
    came = f"is {declared[:100]!r}" if declared else "is missing"
    message = f"the content type {came}; {expected} is expected"
    if event._speaks_http:
        raise UnsupportedMediaType(message)
    event._refuse(message)


# ---- headers ----------------------------------------------------------------------------------------------------

# One `; name=value` of a header, the value a token or a quoted string (RFC 9110 §5.6.6).
_PARAMETER = re.compile(
    r"""(?:;[ \t]*)++(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+)))?[ \t]*""",
)


def _split_header(value: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The first word of a header in lower case, and its parameters; None if it is malformed."""
    word = value.partition(";")[0]
    position, pairs = len(word), []
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            return None
        name, quoted, token = found.groups()
        if name is not None:
            # Only a quote or a backslash is escaped: Internet Explorer sent C:\path\name as it is.
            pairs.append((name.lower(), token if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)))
        position = found.end()
    return word.strip().lower(), pairs


def _media_type(declared: str) -> tuple[str, list[tuple[str, str]]]:
    return _split_header(declared) or ("", [])


def _only(pairs: list[tuple[str, str]], name: str) -> str | None:
    """The value of a parameter that is there once; None if it is missing. Raises ValueError for two."""
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise ValueError(f"{name} is given {len(values)} times")
    return values[0] if values else None


# ---- application/x-www-form-urlencoded ----------------------------------------------------------------------------


def _urlencoded(event: Event) -> Form:
    text = event.text
    if text.count("&") >= MOST_FIELDS:
        event._refuse(f"the form has over {MOST_FIELDS} fields")
    broken = re.search("%(?![0-9A-Fa-f]{2})", text)
    if broken:
        event._refuse(f"the form is not valid: % without two hexadecimal digits at character {broken.start() + 1}")
    charset = charset_of(event, event.headers.get("content-type", ""))
    if charset.startswith(("utf-16", "utf-32")):
        charset = "utf-8"  # that is what the text came in; no escape stands for half a character
    fields: dict[str, list[str]] = {}
    try:
        for pair in text.split("&"):
            if pair:
                name, _, value = pair.partition("=")
                fields.setdefault(_decoded(name, charset), []).append(_decoded(value, charset))
    except UnicodeError:
        event._refuse(f"the form is not valid: what is percent-encoded is not {charset.upper()}")
    return Form(fields, {})


def _decoded(text: str, charset: str) -> str:
    """Return a name or value without its encoding, piece by piece: urllib makes an object of each `%41`."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    from urllib.parse import unquote_to_bytes

    made, start = bytearray(), 0
    while start < len(text):
        end = start + _PIECE
        end += max(0, text.rfind("%", end - 2, end) + 3 - end)  # not within an escape
        piece = text[start:end]
        made += unquote_to_bytes(piece.encode(charset)) if "%" in piece else piece.encode(charset)
        start = end
    return made.decode(charset)


# ---- multipart/form-data ------------------------------------------------------------------------------------------


def _boundary(event: Event, parameters: list[tuple[str, str]]) -> bytes:
    try:
        boundary = _only(parameters, "boundary")
    except ValueError as error:
        event._refuse(f"the content type is not valid: {error}")
    if not boundary:
        event._refuse("the content type is multipart/form-data without a boundary")
    # RFC 2046 §5.1.1, where the boundary is at most 70 of these characters and does not end with a space.
    if not re.fullmatch(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", boundary):
        event._refuse(f"the boundary {boundary[:80]!r} is not valid (RFC 2046 §5.1.1)")
    return boundary.encode()


# Visible characters, spaces and tabs: neither folded lines nor control characters.
_HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'((?:%[0-9A-F]{2}|[!#$&+.^_`|~0-9A-Z-])*)", re.IGNORECASE)


class _Multipart:
    """Reads the multipart body of one event."""

    __slots__ = ("_delimiter", "_event", "_fields", "_files")

    def __init__(self, event: Event, boundary: bytes) -> None:
        self._event = event
        self._delimiter = b"\r\n--" + boundary
        self._fields: dict[str, list[str]] = {}
        self._files: dict[str, list[Upload]] = {}

    def form(self) -> Form:
        for number, part in enumerate(self._parts(), 1):
            if number > MOST_FIELDS:
                self._event._refuse(f"the form has over {MOST_FIELDS} parts")
            self._read(part, f"part {number} of the form")
        return Form(self._fields, self._files)

    def _parts(self) -> Iterator[bytes]:
        """Return the parts between the delimiter lines; text before the first and after the last is ignored."""
        if not self._event.body:
            self._event._refuse("the form is empty: not even its closing boundary is there")
        body = b"\r\n" + self._event.body  # the first delimiter has no line before it
        start = -1
        # Content may hold the boundary as well, as long as the line goes on after it. The line's own end is left to the
        # part, since it may begin the next delimiter.
        for found in re.finditer(re.escape(self._delimiter) + rb"(--)?[ \t]*+(?=\r\n|\Z)", body):
            if start >= 0:
                yield body[start : found.start()]
            if found[1]:
                return
            start = found.end()
        if start < 0:
            self._event._refuse("the form has no line (ended by CR LF) with the boundary that its content type names")
        self._event._refuse("the form lacks its closing boundary: it was cut off")

    def _read(self, part: bytes, where: str) -> None:
        blank = part.find(b"\r\n\r\n")
        if blank < 0:
            self._event._refuse(f"{where} has no empty line after its headers")
        headers = self._headers(part[2:blank], where)
        content = part[blank + 4 :]
        name, filename = self._disposition(headers, where)
        if filename is None:
            self._fields.setdefault(name, []).append(self._text(content, headers, where))
        elif filename or content:  # a browser sends neither where no file was chosen
            kind = headers.get("content-type", "application/octet-stream")
            self._files.setdefault(name, []).append(Upload(_without_directories(filename), kind, content, headers))

    def _headers(self, head: bytes, where: str) -> Headers:
        if len(head) > _MOST_HEADER_BYTES:
            self._event._refuse(f"{where} has over {_MOST_HEADER_BYTES} bytes of headers")
        try:
            lines = head.decode().split("\r\n")
        except UnicodeDecodeError:
            self._event._refuse(f"{where} has headers that are not UTF-8")
        pairs = []
        for line in lines if head else ():
            found = _HEADER_LINE.fullmatch(line)
            if found is None:
                self._event._refuse(f"{where} has a malformed header: {line[:60]!r}")
            pairs.append((found[1], [found[2].strip(" \t")]))
        return Headers(pairs)

    def _disposition(self, headers: Headers, where: str) -> tuple[str, str | None]:
        """The name of the field, and the name of its file if it is one."""
        for header in ("content-disposition", "content-type", "content-transfer-encoding"):
            if len(headers.getall(header)) > 1:
                self._event._refuse(f"{where} has {header} twice")
        # RFC 7578 §4.7 leaves it no other value.
        if headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "7bit", "8bit"):
            self._event._refuse(f"{where} has a content-transfer-encoding, which forms do not have (RFC 7578 §4.7)")
        parsed = _split_header(headers.get("content-disposition", ""))
        if parsed is None or parsed[0] != "form-data":
            self._event._refuse(f"{where} has no valid header content-disposition: form-data; name=...")
        try:
            name, filename = _only(parsed[1], "name"), _only(parsed[1], "filename")
            extended = _only(parsed[1], "filename*")
            if extended is not None:  # preferred where a client sends both (RFC 6266 §4.3)
                filename = _extended(extended)
        except ValueError as error:
            self._event._refuse(f"{where} has a malformed content-disposition: {error}")
        if name is None:
            self._event._refuse(f"{where} has no name")
        # Browsers write a quotation mark so (HTML, multipart/form-data encoding algorithm).
        name = name.replace("%22", '"')
        return name, filename if filename is None or extended is not None else filename.replace("%22", '"')

    def _text(self, content: bytes, headers: Headers, where: str) -> str:
        parameters = _media_type(headers.get("content-type", ""))[1]
        label = dict(parameters).get("charset", "utf-8").lower()
        charset = known(label)
        if charset is None:
            self._event._refuse(f"{where} is in the character set {label[:40]!r}, which is not known")
        try:
            return content.decode(charset)
        except UnicodeDecodeError as error:
            self._event._refuse(
                f"{where} is a text that is not {charset} (byte {error.start}); a file needs a filename"
            )


def _extended(value: str) -> str:
    """A parameter in the form of RFC 8187, charset'language'percent-encoded. Raises ValueError."""
    from urllib.parse import unquote_to_bytes

    found = _EXTENDED.fullmatch(value)
    if found is None:
        raise ValueError("filename* is not in the form UTF-8''percent-encoded (RFC 8187)")
    try:
        decoded = unquote_to_bytes(found[2]).decode(found[1])
    except UnicodeDecodeError:
        raise ValueError(f"filename* is not {found[1]}") from None
    if re.search(r"[\x00-\x1f\x7f]", decoded):
        raise ValueError("filename* holds control characters")
    return decoded


def _without_directories(filename: str) -> str:
    """The last part of a path of any system; nothing for one that names only directories."""
    last = re.split(r"[/\\]", filename)[-1]
    return "" if last in (".", "..") else last


# ---- XML ----------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    """Raised through the parser for an element or declaration that is refused."""


class _Levels:
    """Builds the tree, and counts how deep it is."""

    __slots__ = ("_builder", "_depth", "close", "data")

    def __init__(self) -> None:
        from xml.etree.ElementTree import TreeBuilder

        self._builder = TreeBuilder()
        self._depth = 0
        self.data = self._builder.data
        self.close = self._builder.close

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MOST_XML_LEVELS:
            raise _Refused(f"it is nested over {MOST_XML_LEVELS} levels deep")
        self._builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _Refused("a document type declaration (DOCTYPE) is not allowed")


def read_xml(event: Event) -> Element:
    """The root element of an event's body. What has no content type, such as a queue's message, is taken for XML."""
    declared = event.headers.get("content-type", "")
    kind, parameters = _media_type(declared)
    if kind not in ("application/xml", "text/xml") and not kind.endswith("+xml") and (declared or event._speaks_http):
        _refuse_type(event, declared, "application/xml, text/xml or a type that ends with +xml")
    from xml.etree.ElementTree import ParseError
    from xml.parsers.expat import ErrorString

    try:
        return _parsed(*_readable(event.body, _only(parameters, "charset")))
    except ParseError as error:
        line, column = error.position
        event._refuse(f"the body is not valid XML (line {line}, column {column + 1}): {ErrorString(error.code)}")
    except (_Refused, LookupError, ValueError) as error:
        event._refuse(f"the body is not valid XML: {error}")


_UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_UTF_8_MARK = b"\xef\xbb\xbf"
# A DOCTYPE can only come after a declaration, comments and processing instructions.
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:(?><\?.*?\?>|<!--.*?-->)\s*+)*+<!DOCTYPE", re.DOTALL)


def _readable(body: bytes, charset: str | None) -> tuple[bytes, str | None]:
    """The body in an encoding that ASCII is part of, and the name of that encoding if the XML need not say it."""
    if body[:2] in _UTF_16:
        return body.decode(_UTF_16[body[:2]]).encode(), "utf-8"
    # A byte order mark counts more than the header, and the header more than the XML (RFC 7303 §3).
    return body, "utf-8" if body.startswith(_UTF_8_MARK) else charset


def _parsed(body: bytes, encoding: str | None) -> Element:
    from xml.etree.ElementTree import XMLParser

    levels = _Levels()
    # The parser would go through a whole chunk, entities and all, before it hands on what `doctype` raises.
    if _DOCTYPE.match(body):
        levels.doctype("", None, None)
    parser: XMLParser[Element] = XMLParser(target=levels, encoding=encoding)  # noqa: S314 - without DOCTYPE no entities
    for start in range(0, len(body), _XML_CHUNK):
        parser.feed(body[start : start + _XML_CHUNK])
    return parser.close()
