"""Check samples with options as texts."""

from __future__ import annotations

import json

import pytest

from router import Resolver, detect, read
from router.local.console.samples import sample, sources
from router.testing import samples
from router.testing.samples import named


@pytest.mark.parametrize("source", sorted(samples.SAMPLES))
def test_a_sample_is_of_its_source_with_ids_of_its_own(source: str) -> None:
    made, other = sample(source, {}), sample(source, {})
    plain = samples.SAMPLES[source]()
    assert detect(made) == detect(plain)
    assert len(json.dumps(made)) == len(json.dumps(plain))
    if source in {"sqs", "sns", "rest", "eventbridge"}:
        assert len({read(one)[0].id for one in (made, other, plain)}) == 3


def test_an_id_is_the_same_wherever_it_is_in_a_payload() -> None:
    made = sample("sns-in-sqs", {})
    ids = {json.loads(one["body"])["MessageId"] for one in made["Records"]}
    assert len(ids) == len(made["Records"])
    plain = json.dumps(sample("rest", {}))
    request = json.loads(plain)["requestContext"]["requestId"]
    assert plain.count(request) == json.dumps(samples.rest()).count(samples.rest()["requestContext"]["requestId"])


def test_ids_that_are_given_stay() -> None:
    own = "11111111-2222-3333-4444-555555555555"
    made = sample("sqs", {"message_ids": f'["{own}"]'})
    assert made["Records"][0]["messageId"] == own


@pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
@pytest.mark.parametrize(
    "path", ["/tickets/{ticket}", "/{a}/lines/{line:int}", "/{id:uuid}", "/{x:float}/{y:str}", "/files/{rest+}"]
)
def test_a_sample_for_the_path_of_a_route_comes_to_it(source: str, path: str) -> None:
    resolver = Resolver()
    resolver.post(path)(lambda: "here")
    made = sample(source, {"method": "POST", "path": path})
    assert "{" not in read(made)[0].path
    answer = resolver.resolve(made)
    assert (answer["statusCode"], answer["body"]) == (200, "here")


@pytest.mark.parametrize("key", ["$connect", "$disconnect", "chat"])
def test_a_sample_for_the_key_of_a_socket_comes_to_it(key: str) -> None:
    resolver, came = Resolver(), []
    resolver.on_connect()(lambda: came.append("$connect"))
    resolver.on_disconnect()(lambda: came.append("$disconnect"))
    resolver.on_message("chat")(lambda: came.append("chat"))
    resolver.resolve(sample("websocket", {"route_key": key}))
    assert came == [key]


def test_every_option_of_every_sample_takes_its_default() -> None:
    for one in sources():
        for option in one["options"]:
            default = option["default"]
            if default is None:
                continue
            text = default if option["text"] else json.dumps(default)
            assert sample(one["source"], {option["name"]: str(text)}) is not None, (one["source"], option)


@pytest.mark.parametrize("name", named.NAMES)
def test_options_have_a_name_a_type_and_a_default_in_json(name: str) -> None:
    for option in named.described(name):
        assert set(option) == {"name", "type", "default"}
        json.dumps(option)
