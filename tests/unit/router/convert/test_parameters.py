"""Models that are filled from all the parameters of a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import pydantic
import pytest

from router import ConfigurationError, Query, UnprocessableContent
from router.convert.parameters import compile_model

T = TypeVar("T")


@dataclass
class Inner:
    id: int


@dataclass
class Range(Generic[T]):
    low: T
    high: T | None = None

    def __post_init__(self) -> None:
        if self.high is not None and self.high < self.low:  # type: ignore[operator]
            raise ValueError("high is below low")


class Aliases(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)
    size: int = pydantic.Field(10, alias="page-size")
    sort: str = pydantic.Field("id", validation_alias=pydantic.AliasChoices("sort-by", "order"))
    first: str = pydantic.Field("none", validation_alias=pydantic.AliasPath("tag", 0))


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)
    limit: int = 20


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    limit: int = 20


class Checked(pydantic.BaseModel):
    low: int
    high: int

    @pydantic.model_validator(mode="after")
    def ordered(self) -> Checked:
        if self.high < self.low:
            raise ValueError("high is below low")
        return self


def errors_of(kind: Any, values: dict[str, list[str]], where: str = "query") -> list[tuple[str, str]]:
    with pytest.raises(UnprocessableContent) as refused:
        compile_model(kind, where).fill(values)
    return [(error["at"], error["message"]) for error in refused.value.members["errors"]]


def test_a_generic_dataclass_and_what_its_own_code_refuses() -> None:
    filled = compile_model(Range[int], "query")
    assert filled.fill({"low": ["1"], "high": ["2"]}) == Range(1, 2)
    assert filled.fill({"low": ["1", "3"]}) == Range(3)  # the last, as `event.query` has it
    assert errors_of(Range[int], {"low": ["2"], "high": ["1"]}) == [("query", "high is below low")]
    assert errors_of(Range[int], {"high": ["x"]}) == [
        ("query.low", "is missing"),
        ("query.high", "an integer is expected, not this text"),
    ]


def test_each_alias_of_pydantic_is_taken() -> None:
    filled = compile_model(Aliases, "query")
    for values in ({"page-size": ["3"]}, {"size": ["3"]}):
        assert filled.fill(values).size == 3
    for name in ("sort-by", "order", "sort"):
        assert filled.fill({name: ["name"]}).sort == "name"
    assert filled.fill({"tag": ["a", "b"]}).first == "a"
    assert filled.names == {"page-size", "size", "sort-by", "order", "sort", "tag", "first"}
    assert errors_of(Aliases, {"page-size": ["x"]})[0][0] == "query.page-size"


def test_a_header_has_hyphens_for_underscores_but_an_alias_is_as_written() -> None:
    class Names(pydantic.BaseModel):
        x_trace: str
        key: str = pydantic.Field("none", alias="X_Key")

    filled = compile_model(Names, "header")
    made = filled.fill({"x-trace": ["a", "b"], "x_key": ["k"]})
    assert (made.x_trace, made.key) == ("a, b", "k")
    assert errors_of(Names, {}, "header") == [("header.x-trace", "Field required")]


def test_a_model_says_itself_what_becomes_of_unknown_parameters() -> None:
    assert compile_model(Strict, "query").fill({"limit": ["3"]}).limit == 3
    assert [at for at, _ in errors_of(Strict, {"limit": ["3"], "other": ["1"]})] == ["query.other"]
    assert compile_model(Open, "query").fill({"other": ["1", "2"]}).model_extra == {"other": "2"}
    assert compile_model(Strict, "header").fill({"host": ["example.org"]}).limit == 20


def test_what_a_model_refuses_as_a_whole_is_the_error_of_the_place() -> None:
    assert errors_of(Checked, {"low": ["2"], "high": ["1"]}) == [("query", "Value error, high is below low")]


def test_what_text_cannot_fill_is_refused() -> None:
    @dataclass
    class WithModel:
        inner: Inner = field(default_factory=lambda: Inner(1))

    class WithModels(pydantic.BaseModel):
        inner: list[Inner] = []

    class Marked(pydantic.BaseModel):
        limit: Annotated[int, Query(ge=1)] = 1

    class Root(pydantic.RootModel[list[int]]):
        pass

    @dataclass
    class Default:
        limit: Annotated[int, pydantic.Field(3)] = 3

    for kind, message in (
        (WithModel, "WithModel.inner: .*Inner cannot be made from text"),
        (WithModels, "WithModels.inner: a model inside a model cannot be made from text"),
        (Marked, r"Marked.limit: pydantic does not read this; write Field\(...\)"),
        (Root, "Root.root: a model inside a model cannot be made from text"),
        (Default, "Default.limit: a default inside Field"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            compile_model(kind, "query")
