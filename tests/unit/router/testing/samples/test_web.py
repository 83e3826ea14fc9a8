"""HTTP and WebSocket samples, read back with the data classes of aws-lambda-powertools."""

from __future__ import annotations

from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.parser import models

from router.testing import samples


def test_rest_has_single_and_multi_value_maps_and_the_last_value_is_the_single_one() -> None:
    payload = samples.rest("get", "/a?x=1", query={"x": [2, True], "y": ""}, headers={"X-Tag": ["a", "b"]})
    assert payload["multiValueQueryStringParameters"] == {"x": ["1", "2", "true"], "y": [""]}
    assert payload["queryStringParameters"] == {"x": "true", "y": ""}
    assert payload["headers"]["X-Tag"] == "b"
    assert payload["multiValueHeaders"]["X-Tag"] == ["a", "b"]
    event = data_classes.APIGatewayProxyEvent(payload)
    assert (event.http_method, event.path, event.body) == ("GET", "/a", None)
    assert event.request_context.stage == "prod"
    assert event.request_context.path == "/prod/a"
    assert event.request_context.identity.source_ip == "203.0.113.7"


def test_rest_without_query_has_null_maps() -> None:
    payload = samples.rest()
    assert payload["queryStringParameters"] is payload["multiValueQueryStringParameters"] is None
    assert payload["resource"] == "/"
    assert payload["pathParameters"] is None


def test_rest_resource_is_told_by_the_path_parameters_or_catches_all() -> None:
    named = samples.rest(path="/orders/7%20a", path_parameters={"id": "7 a"})
    assert (named["resource"], named["pathParameters"]) == ("/orders/{id}", {"id": "7 a"})
    greedy = samples.rest(path="/orders/7")
    assert (greedy["resource"], greedy["pathParameters"]) == ("/{proxy+}", {"proxy": "orders/7"})
    given = samples.rest(path="/files/a/b", resource="/files/{key+}", path_parameters={"key": "a/b"})
    assert (given["resource"], given["pathParameters"]) == ("/files/{key+}", {"key": "a/b"})


def test_bodies_are_text_json_or_base64() -> None:
    as_json = data_classes.APIGatewayProxyEvent(samples.rest("POST", "/", body={"id": 1}))
    assert as_json.json_body == {"id": 1}
    assert as_json.headers["content-type"] == "application/json"
    assert as_json.headers["content-length"] == "8"
    assert (
        samples.rest("POST", "/", body="a", headers={"content-type": "text/x"})["headers"]["content-type"] == "text/x"
    )
    binary = samples.http("POST", "/", body=b"\x00\xff")
    assert (binary["body"], binary["isBase64Encoded"]) == ("AP8=", True)
    assert "body" not in samples.http()


def test_http_joins_repeated_values_and_moves_cookies_out_of_the_headers() -> None:
    payload = samples.http(
        query={"x": ["1", "2"]},
        headers={"X-Tag": ["a", "b"], "Cookie": "seen=1; lang=en"},
        cookies={"theme": "dark"},
        authorizer={"tenant": "acme"},
    )
    assert payload["headers"]["x-tag"] == "a,b"
    assert "cookie" not in payload["headers"]
    assert payload["cookies"] == ["seen=1", "lang=en", "theme=dark"]
    assert payload["queryStringParameters"] == {"x": "1,2"}
    assert payload["rawQueryString"] == "x=1&x=2"
    event = data_classes.APIGatewayProxyEventV2(payload)
    assert event.request_context.authorizer is not None
    assert event.request_context.authorizer.get_lambda == {"tenant": "acme"}
    assert event.request_context.domain_name.endswith(".execute-api.us-east-1.amazonaws.com")


def test_http_path_is_decoded_and_behind_a_named_stage_while_rest_keeps_it() -> None:
    staged = samples.http(path="/a%20b", stage="dev")
    assert staged["rawPath"] == staged["requestContext"]["http"]["path"] == "/dev/a b"
    assert samples.rest(path="/a%20b")["path"] == "/a%20b"
    assert samples.url(path="/a%20b")["rawPath"] == "/a%20b"


def test_http_authorizer_claims_are_those_of_a_jwt() -> None:
    payload = samples.http(authorizer={"claims": {"sub": "1"}})
    assert payload["requestContext"]["authorizer"] == {"jwt": {"claims": {"sub": "1"}, "scopes": None}}


def test_function_url_domain_and_callers() -> None:
    event = data_classes.LambdaFunctionUrlEvent(samples.url("PUT", "/a", region="eu-west-1", url_id="abc", body="x"))
    assert event.request_context.domain_name == "abc.lambda-url.eu-west-1.on.aws"
    assert event.request_context.account_id == "anonymous"
    assert (event.http_method, event.path, event.body) == ("PUT", "/a", "x")


def test_alb_keeps_query_values_encoded_and_either_kind_of_map() -> None:
    single = samples.alb(query={"name": ["a b", "c&d"]})
    assert single["queryStringParameters"] == {"name": "c%26d"}
    assert "multiValueHeaders" not in single
    several = data_classes.ALBEvent(samples.alb(query={"name": ["a b", "c&d"]}, multi_value=True))
    assert several.multi_value_query_string_parameters == {"name": ["a%20b", "c%26d"]}
    assert "headers" not in several.raw_event


def test_lattice_versions() -> None:
    second = data_classes.VPCLatticeEventV2(samples.lattice("GET", "/a", query={"x": ["1", "2"]}))
    assert (second.raw_event["path"], second.path) == ("/a?x=1&x=2", "/a")
    assert second.raw_event["queryStringParameters"] == {"x": ["1", "2"]}
    assert second.raw_event["headers"]["accept"] == ["*/*"]
    first = data_classes.VPCLatticeEvent(
        samples.lattice("POST", "/a", query={"x": ["1", "2"]}, body=b"a", version="1.0")
    )
    assert (first.query_string_parameters, first.decoded_body) == ({"x": "2"}, "a")


def test_websocket_events_of_one_connection() -> None:
    connect = models.APIGatewayWebSocketConnectEventModel.model_validate(
        samples.websocket("CONNECT", query={"room": "1"}, headers={"Authorization": "a"})
    )
    message = models.APIGatewayWebSocketMessageEventModel.model_validate(
        samples.websocket(route_key="chat", body={"action": "chat"}, authorizer={"principalId": "alice"})
    )
    end = models.APIGatewayWebSocketDisconnectEventModel.model_validate(
        samples.websocket("DISCONNECT", status_code=1001)
    )
    assert connect.headers["Authorization"] == "a"
    assert (message.request_context.route_key, message.body) == ("chat", '{"action":"chat"}')
    assert end.request_context.disconnect_status_code == 1001
    assert (
        connect.request_context.connection_id
        == message.request_context.connection_id
        == end.request_context.connection_id
    )
    raw = samples.websocket(body="hi", authorizer={"principalId": "alice"})
    assert "headers" not in raw
    assert raw["requestContext"]["authorizer"] == {"principalId": "alice"}
