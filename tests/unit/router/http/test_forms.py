"""Forms and XML: exact on every byte, and a clear refusal of everything else."""

from __future__ import annotations

import time
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.errors import BadRequest, InvalidEvent, UnsupportedMediaType
from router.event import Event, Source
from router.http.forms import Form, Upload
from router.http.headers import Headers

MULTIPART = "multipart/form-data; boundary=cut"
URLENCODED = "application/x-www-form-urlencoded"


class Request(Event):
    """A request with a body and a content type, and nothing else."""

    __slots__ = ()
    _unreadable: ClassVar[type[Exception]] = BadRequest
    _speaks_http = True

    def __init__(self, body: bytes, content_type: str | None) -> None:
        super().__init__(Source.REST, {}, None, {})
        self.body = body
        self.headers = Headers([("Content-Type", [content_type])] if content_type else [])


class Message(Request):
    """The same as a record of a queue."""

    __slots__ = ()
    _unreadable = InvalidEvent
    _speaks_http = False


def form(body: bytes, content_type: str | None = MULTIPART) -> Form:
    return Request(body, content_type).form()


def xml(body: bytes, content_type: str | None = "application/xml") -> Any:
    return Request(body, content_type).xml()


def part(disposition: str, content: bytes = b"", *headers: str) -> bytes:
    """One part of a multipart body with its delimiter; `cut` is the boundary."""
    lines = [f"Content-Disposition: {disposition}", *headers]
    return b"--cut\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


def file(content: bytes, disposition: str = 'form-data; name="f"; filename="f.bin"', *headers: str) -> Upload:
    """The one upload of a form that has nothing else."""
    [upload] = form(part(disposition, content, *headers) + b"--cut--\r\n").files["f"]
    return upload


# ---- urlencoded -------------------------------------------------------------------------------------------------


def test_urlencoded_fields() -> None:
    found = form(b"name=J%C3%B6rg+B&tag=a&tag=b&empty=&bare", URLENCODED + "; charset=UTF-8")

    assert found["name"] == "Jörg B"
    assert found["tag"] == "b"
    assert found.getall("tag") == ["a", "b"]
    assert found.get("nothing") is None
    assert found.getall("nothing") == []
    assert found.fields.multi_items() == [("name", "Jörg B"), ("tag", "a"), ("tag", "b"), ("empty", ""), ("bare", "")]
    assert "empty" in found
    assert len(found) == 4
    assert found.files == {}


def test_an_empty_urlencoded_form_has_no_fields() -> None:
    assert dict(form(b"", URLENCODED)) == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a=%", "% without two hexadecimal digits at character 3"),
        (b"a=1&b=%zz", "% without two hexadecimal digits at character 7"),
        (b"a=%ff", "percent-encoded is not UTF-8"),
        (b"a=%ED%A0%80", "percent-encoded is not UTF-8"),
        (b"a=\xff", "the body is not UTF-8"),
        (b"&".join([b"a=1"] * 1001), "over 1000 fields"),
        (b"&" * 5_000_000, "over 1000 fields"),
    ],
)
def test_a_bad_urlencoded_form_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        form(body, URLENCODED)


def test_a_thousand_fields_are_read() -> None:
    assert len(form(b"&".join([b"a=1"] * 1000), URLENCODED).getall("a")) == 1000


plain_text = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.lists(st.tuples(plain_text, plain_text), max_size=20))
def test_urlencoded_fields_survive_the_standard_encoder(pairs: list[tuple[str, str]]) -> None:
    assert sorted(form(urlencode(pairs).encode(), URLENCODED).fields.multi_items()) == sorted(pairs)


# ---- multipart --------------------------------------------------------------------------------------------------


def test_multipart_fields_and_files() -> None:
    request = httpx.Request(
        "POST",
        "https://example.com",
        data={"title": "Größe", "tag": ["a", "b"]},
        files=[
            ("photo", ("cat.png", b"\x89PNG\r\n\x1a\n\0", "image/png")),
            ("photo", ("dog.png", b"", "image/png")),
            ("note", ("ä.txt", b"text")),
        ],
    )
    found = form(request.read(), request.headers["content-type"])

    assert found["title"] == "Größe"
    assert found.getall("tag") == ["a", "b"]
    assert list(found) == ["title", "tag"]
    cat, dog = found.files["photo"]
    assert (cat.filename, cat.content_type, cat.content) == ("cat.png", "image/png", b"\x89PNG\r\n\x1a\n\0")
    assert cat.headers["CONTENT-TYPE"] == "image/png"
    assert dog.content == b""
    assert found.files["note"][0].filename == "ä.txt"
    assert repr(found) == "<Form fields=['title', 'tag'] files=['photo', 'note']>"
    assert repr(cat) == "<Upload 'cat.png' image/png 9 bytes>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\n\r\r\n\n",
        bytes(range(256)),
        b"\0" * 10,
        b"--cutter",
        b"--cut-",
        b"\r\n--cu",
        b"\r\n--cutter\r\n",
        b"\r\n--cut--ter\r\n",
        b"\r\n--cut-\r\n",
        b"\r\n--cut x\r\n",
        b"\n--cut\n",
        b"\r--cut\r",
        b"\r\n --cut\r\n",
        b"-" * 100,
        b"Content-Disposition: form-data\r\n\r\n",
        "größe".encode("utf-16"),
    ],
)
def test_a_file_is_given_back_byte_for_byte(content: bytes) -> None:
    assert file(content).content == content


blocks = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"-", b"cut", b"\r\n--cu", b"t", b" ", b"\0", b"\xff"]) | st.binary()
)


@settings(deadline=None)
@given(st.lists(blocks.map(b"".join).filter(lambda content: b"\r\n--cut" not in b"\r\n" + content), max_size=4))
def test_files_survive_an_encoder_of_the_test(contents: list[bytes]) -> None:
    parts = [part(f'form-data; name="f"; filename="{index}"', content) for index, content in enumerate(contents)]
    found = form(b"preamble\r\n" + b"".join(parts) + b"--cut-- \r\nepilogue\r\n--cut\r\n")

    assert [upload.content for upload in found.files.get("f", [])] == contents


names = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters='"\\/%'), min_size=1
)


@settings(deadline=None)
@given(st.lists(st.tuples(names, plain_text), max_size=5), st.lists(st.tuples(names, names, st.binary()), max_size=5))
def test_forms_survive_the_encoder_of_httpx(fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]]) -> None:
    data: dict[str, Any] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    uploads = [(name, (filename, content)) for name, filename, content in files]
    request = httpx.Request("POST", "https://example.com", data=data, files=uploads or {"none": ("x", b"")})
    found = form(request.read(), request.headers["content-type"])

    assert {name: found.getall(name) for name in found} == data
    assert sorted((name, upload.content) for name, all in found.files.items() for upload in all) == sorted(
        (name, content) for name, (_, content) in uploads or [("none", ("x", b""))]
    )
    not_dots = [filename for _, filename, _ in files if filename not in (".", "..")]
    assert {upload.filename for all in found.files.values() for upload in all} >= set(not_dots)


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        ('filename="a.txt"', "a.txt"),
        ("filename=a.txt", "a.txt"),
        ('filename="a;b=c.txt"', "a;b=c.txt"),
        (r'filename="say \"hi\".txt"', 'say "hi".txt'),
        ('filename="100%25.txt"', "100%25.txt"),
        ('filename="größe.txt"', "größe.txt"),
        ('filename="../../etc/passwd"', "passwd"),
        (r'filename="C:\docs\new.txt"', "new.txt"),
        (r'filename="C:\\docs\\new.txt"', "new.txt"),
        ('filename="/"', ""),
        ('filename=".."', ""),
        ("filename*=UTF-8''gr%C3%B6%C3%9Fe.txt", "größe.txt"),
        ("filename=\"g.txt\"; filename*=utf-8'de'gr%C3%B6%C3%9Fe.txt", "größe.txt"),
        ("filename*=iso-8859-1''gr%F6%DFe.txt", "größe.txt"),
        ("filename*=UTF-8''..%2F..%2Fpasswd", "passwd"),
        ('FileName="a.txt" ;', "a.txt"),
    ],
)
def test_filenames(parameters: str, filename: str) -> None:
    assert file(b"x", f'form-data; name="f"; {parameters}').filename == filename


@settings(deadline=None)
@given(names)
def test_extended_filenames_survive_percent_encoding(name: str) -> None:
    upload = file(b"x", f"form-data; name=f; filename*=UTF-8''{quote(name, safe='')}")

    assert upload.filename == ("" if name in (".", "..") else name)


def test_a_file_without_a_type_is_just_bytes() -> None:
    assert file(b"x").content_type == "application/octet-stream"


def test_a_file_that_was_not_chosen_is_left_out() -> None:
    found = form(part('form-data; name="f"; filename=""', b"", "Content-Type: application/octet-stream") + b"--cut--")

    assert found.files == {}
    assert len(found) == 0


def test_a_form_without_parts_is_empty() -> None:
    assert dict(form(b"--cut--\r\n")) == {}


@pytest.mark.parametrize(
    ("header", "content", "text"),
    [
        ("Content-Type: text/plain; charset=ISO-8859-1", b"gr\xf6\xdfe", "größe"),
        ('Content-Type: text/plain;charset="utf8"', "größe".encode(), "größe"),
        ("Content-Type: application/json", b'{"a": 1}', '{"a": 1}'),
        ("Content-Transfer-Encoding: 8bit", b"a", "a"),
        ("X-Other:", b"a\r\nb", "a\r\nb"),
    ],
)
def test_the_text_of_a_field(header: str, content: bytes, text: str) -> None:
    assert form(part('form-data; name="a"', content, header) + b"--cut--")["a"] == text


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="cut"',
        "Multipart/Form-Data;BOUNDARY=cut",
        "multipart/form-data; charset=utf-8; boundary=cut",
        'multipart/form-data ; boundary="cut" ;',
    ],
)
def test_ways_to_write_the_boundary(content_type: str) -> None:
    assert form(part("form-data; name=a", b"1") + b"--cut--", content_type)["a"] == "1"


def test_boundaries_with_every_character() -> None:
    boundary = "'()+_,-./:=? x"

    body = part("form-data; name=a", b"1").replace(b"cut", boundary.encode())
    found = form(body + f"--{boundary}--".encode(), f'multipart/form-data; boundary="{boundary}"')

    assert found["a"] == "1"


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("multipart/form-data", "without a boundary"),
        ('multipart/form-data; boundary=""', "without a boundary"),
        ("multipart/form-data; boundary=a; boundary=b", "boundary is given 2 times"),
        (f"multipart/form-data; boundary={'x' * 71}", r"not valid \(RFC 2046"),
        ('multipart/form-data; boundary="a "', r"not valid \(RFC 2046"),
        ('multipart/form-data; boundary="ä"', r"not valid \(RFC 2046"),
    ],
)
def test_a_bad_boundary_is_refused(content_type: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        form(b"--cut--", content_type)


GOOD = part('form-data; name="a"', b"1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the form is empty"),
        (b"{}", "no line .* with the boundary"),
        (GOOD.replace(b"\r\n", b"\n") + b"--cut--", "no line .ended by CR LF. with the boundary"),
        (b"x" + GOOD, "no line .* with the boundary"),
        (GOOD, "lacks its closing boundary"),
        (GOOD + b"--cut", "lacks its closing boundary"),
        (GOOD + b"--cut-", "lacks its closing boundary"),
        (GOOD + b"--cut-- x", "lacks its closing boundary"),
        (GOOD + b"--cut\r\n", "lacks its closing boundary"),
        (b"--cut\r\n--cut--", "part 1 of the form has no empty line after its headers"),
        (GOOD + b"--cut\r\nContent-Disposition: form-data\r\n--cut--", "part 2 of the form has no empty line"),
        (b"--cut\r\n\r\n1\r\n--cut--", "part 1 of the form has no valid header content-disposition"),
        (part('form-data; name="a"', b"--cut") + b"--cut--", "part 1 of the form has no empty line"),
        (part("attachment; name=a") + b"--cut--", "no valid header content-disposition"),
        (part('form-data; name="a') + b"--cut--", "no valid header content-disposition"),
        (part("form-data; name=a b") + b"--cut--", "no valid header content-disposition"),
        (part("form-data; filename=a") + b"--cut--", "part 1 of the form has no name"),
        (part("form-data; name=a; name=b") + b"--cut--", "name is given 2 times"),
        (part("form-data; name=a; filename=a; filename=b") + b"--cut--", "filename is given 2 times"),
        (part("form-data; name=a", b"", "Content-Disposition: form-data; name=b") + b"--cut--", "disposition twice"),
        (part("form-data; name=a", b"", "Content-Type: a/b", "content-type: c/d") + b"--cut--", "content-type twice"),
        (part("form-data; name=a", b"", "Content-Transfer-Encoding: base64") + b"--cut--", "transfer-encoding"),
        (part('form-data; name="a\nX-Evil: 1"') + b"--cut--", "malformed header"),
        (part('form-data; name="a\rb"') + b"--cut--", "malformed header"),
        (part('form-data; name="a\0b"') + b"--cut--", "malformed header"),
        (part('form-data;\r\n name="a"') + b"--cut--", "malformed header"),
        (part("form-data; name=a", b"", "no colon") + b"--cut--", "malformed header: 'no colon'"),
        (part("form-data; name=a", b"", "two words: x") + b"--cut--", "malformed header"),
        (part("form-data; name=a").replace(b"=a", b"=\xff") + b"--cut--", "headers that are not UTF-8"),
        (part("form-data; name=a", b"", "X: " + "x" * 17_000) + b"--cut--", "over 16384 bytes of headers"),
        (part("form-data; name=a; filename*=a.txt", b"") + b"--cut--", "filename\\* is not in the form"),
        (part("form-data; name=a; filename*=utf-16''a", b"") + b"--cut--", "filename\\* is not in the form"),
        (part("form-data; name=a; filename*=utf-8''%f", b"") + b"--cut--", "filename\\* is not in the form"),
        (part("form-data; name=a; filename*=utf-8''%ff", b"") + b"--cut--", "filename\\* is not utf-8"),
        (part("form-data; name=a; filename*=utf-8''a%0d%0aX", b"") + b"--cut--", "control characters"),
        (part("form-data; name=a; filename*=utf-8''a%00.txt", b"") + b"--cut--", "control characters"),
        (part("form-data; name=a", b"\xff") + b"--cut--", r"not utf-8 \(byte 0\); a file needs a filename"),
        (part("form-data; name=a", b"", "Content-Type: a/b; charset=utf-7") + b"--cut--", "character set 'utf-7'"),
        (GOOD * 1001 + b"--cut--", "over 1000 parts"),
    ],
)
def test_a_bad_multipart_form_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        form(body)


def test_a_thousand_parts_are_read() -> None:
    assert len(form(GOOD * 1000 + b"--cut--").getall("a")) == 1000


HEAD = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"'


@pytest.mark.parametrize(
    "body",
    [
        b"--cut" + b" " * 6_000_000,
        b"\r\n--cut" * 800_000,
        b"\r\n--cut\r" * 800_000,
        b"--cut\r\n" + b"x" * 6_000_000,
        HEAD + b"\r\n\r\n" + b"\r\n--cu" * 900_000,
        (HEAD + b"\r\nX:" + b" " * 16_000 + b"x\r\n\r\n\r\n") * 370,
        (HEAD + b';x="' + rb"\a" * 8_000 + b'"\r\n\r\n\r\n') * 370,
        (HEAD + b";" * 16_000 + b"\r\n\r\n\r\n") * 370,
        (HEAD + b"; filename*=utf-8''" + b"%41" * 5_000 + b"!\r\n\r\n\r\n") * 370,
    ],
    ids=range(9),
)
def test_six_megabytes_made_to_be_slow_are_not(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(BadRequest):
        form(body)

    assert time.perf_counter() - started < 10


@settings(deadline=None)
@given(
    blocks.map(b"".join)
    | st.lists(st.sampled_from([b"--cut", b"--", b"\r\n", b"\r\n\r\n", HEAD, b": ", b";", b'"', b"x"])).map(b"".join)
)
def test_whatever_comes_is_a_form_or_refused(body: bytes) -> None:
    for content_type in (MULTIPART, URLENCODED):
        try:
            form(body, content_type)
        except BadRequest:
            continue


# ---- content types ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/mixed; boundary=cut", "text/plain, a/b", ";", None]
)
def test_another_content_type_is_a_415_that_names_it(content_type: str | None) -> None:
    came = f"is {content_type!r}" if content_type else "is missing"

    with pytest.raises(UnsupportedMediaType) as caught:
        form(b"a=1", content_type)
    assert caught.value.detail == f"the content type {came}; {URLENCODED} or multipart/form-data is expected"
    with pytest.raises(UnsupportedMediaType) as caught:
        xml(b"<a/>", content_type)
    assert caught.value.detail == (
        f"the content type {came}; application/xml, text/xml or a type that ends with +xml is expected"
    )


def test_a_record_fails_instead() -> None:
    with pytest.raises(InvalidEvent, match="'text/plain'; application/x-www-form-urlencoded or"):
        Message(b"a=1", "text/plain").form()
    with pytest.raises(InvalidEvent, match="the content type is missing"):
        Message(b"a=1", None).form()
    with pytest.raises(InvalidEvent, match="lacks its closing boundary"):
        Message(GOOD, MULTIPART).form()
    with pytest.raises(InvalidEvent, match="'application/json'; application/xml"):
        Message(b"<a/>", "application/json").xml()
    with pytest.raises(InvalidEvent, match="not valid XML"):
        Message(b"<a>", None).xml()


def test_a_message_needs_no_content_type_to_be_xml() -> None:
    assert Message(b"<a>1</a>", None).xml().text == "1"


# ---- XML --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/xml", "application/soap+xml; charset=utf-8", "Application/XML"])
def test_xml(content_type: str) -> None:
    root = xml('<o xmlns="urn:x"><i n="1">größe</i>tail</o>'.encode(), content_type)

    assert root.tag == "{urn:x}o"
    assert root[0].get("n") == "1"
    assert root[0].text == "größe"
    assert root[0].tail == "tail"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('<?xml version="1.0" encoding="utf-16"?><a>größe</a>'.encode("utf-16"), "application/xml"),
        ("<a>größe</a>".encode("utf-16-be"), "application/xml; charset=utf-16"),
        ("<a>größe</a>".encode("utf-16-le"), "application/xml"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>größe</a>'.encode("latin-1"), "application/xml"),
        ('<?xml version="1.0" encoding="windows-1252"?><a>größe</a>'.encode("cp1252"), "application/xml"),
        ("<a>größe</a>".encode("latin-1"), "text/xml; charset=iso-8859-1"),
        ("<a>größe</a>".encode("utf-8-sig"), "text/xml; charset=iso-8859-1"),
    ],
)
def test_xml_in_other_encodings(body: bytes, content_type: str) -> None:
    assert xml(body, content_type).text == "größe"


BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><a b="&b;">&b;</a>'


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><a/>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]><a>&x;</a>',
        BOMB,
        b'<?xml version="1.0"?>\n<!-- a ?> comment -->\n<?pi --> ?>\n' + BOMB,
        b"\xef\xbb\xbf" + BOMB,
        BOMB.decode().encode("utf-16"),
        BOMB.decode().encode("utf-16-be"),
        b"\xef\xbb\xbf<!-->--><!DOCTYPE a><a/>",
    ],
)
def test_a_document_type_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="DOCTYPE"):
        xml(body)


@pytest.mark.parametrize("body", [b"<a><![CDATA[<!DOCTYPE b>]]></a>", b"<!-- <!DOCTYPE b> --><a>&lt;!DOCTYPE b></a>"])
def test_the_word_alone_is_no_document_type(body: bytes) -> None:
    assert xml(body).text == "<!DOCTYPE b>"


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"", "text/xml", r"\(line 1, column 1\): no element found"),
        (b"<a>\n  <b>\n</a>", "text/xml", r"\(line 3, column 3\): mismatched tag"),
        (b"<a>\n&nbsp;</a>", "text/xml", r"\(line 2, column 1\): undefined entity"),
        (b"<a>\xff</a>", "text/xml", r"\(line 1, column 4\): not well-formed"),
        (b"<a/><b/>", "text/xml", "junk after document element"),
        (b"<a x='1' x='2'/>", "text/xml", "duplicate attribute"),
        (b"{}", "text/xml", "not well-formed"),
        (b"<a>\0</a>", "text/xml", "not well-formed"),
        (b"\xff\xfe\x00\xd8", "text/xml", "utf-16"),
        (b"<a/>", "text/xml; charset=none-such", "unknown encoding: none-such"),
        (b"<a/>", "text/xml; charset=rot13", "not a text encoding"),
        (b"<a/>", "text/xml; charset=shift_jis", "multi-byte encodings are not supported"),
        (b"<a/>", "text/xml; charset=cp037", "unknown encoding"),
        (b"<a/>", "text/xml; charset=a; charset=b", "charset is given 2 times"),
        (b"<a>" * 200 + b"<a>", "text/xml", "nested over 200 levels deep"),
        (b"<a>" * 2_000_000, "text/xml", "nested over 200 levels deep"),
    ],
    ids=range(16),
)
def test_bad_xml_is_refused_with_its_place(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(BadRequest, match=r"^the body is not valid XML.*" + message):
        xml(body, content_type)


def test_two_hundred_levels_are_read() -> None:
    assert len(list(xml(b"<a>" * 200 + b"</a>" * 200).iter())) == 200


def test_elements_beside_each_other_do_not_count_as_levels() -> None:
    assert len(xml(b"<a>" + b"<b><c/></b>" * 1000 + b"</a>")) == 1000


@pytest.mark.parametrize(
    "body",
    [b"<?a?>" * 1_000_000, b"<!-- -->" * 700_000, b"<!--" + b">" * 6_000_000, b"<?" * 3_000_000, b" " * 6_000_000],
    ids=range(5),
)
def test_long_prologs_are_read_once(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(BadRequest):
        xml(body)

    assert time.perf_counter() - started < 10


xml_text = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF))


@settings(deadline=None)
@given(xml_text, xml_text, st.sampled_from(["utf-8", "utf-16", "us-ascii", "iso-8859-1"]))
def test_xml_survives_the_standard_writer(text: str, attribute: str, encoding: str) -> None:
    written = ET.Element("a", {"b": attribute})
    ET.SubElement(written, "c").text = text

    read = xml(ET.tostring(written, encoding, xml_declaration=True))

    assert read.get("b") == attribute
    assert (read[0].text or "") == text


@settings(deadline=None)
@given(
    st.binary()
    | st.lists(st.sampled_from([b"<", b">", b"a", b"/", b"!", b"?", b"&", b";", b"\0", b"<!--"])).map(b"".join)
)
def test_whatever_comes_is_xml_or_refused(body: bytes) -> None:
    try:
        root = xml(body)
    except BadRequest:
        return
    assert ET.fromstring(body).tag == root.tag
