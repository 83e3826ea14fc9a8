"""Lambda authorizers of API Gateway and AppSync."""

import logging
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from router import ChannelAuthorizerEvent, NoRoute, Resolver
from router.errors import BadRequest, ConfigurationError, EncodeError, Forbidden, InvalidEvent, Unauthorized
from router.event import Source
from router.session_policy import SessionPolicy
from router.sources._decisions import Allow, Deny
from router.sources.authorizer import METHODS, answer, failed
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, read_one, real, survives

STAGE = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod"
TOKEN = {"type": "TOKEN", "authorizationToken": "Bearer t0ken", "methodArn": f"{STAGE}/GET/orders/7"}
REQUEST = {
    "version": "1.0",
    "type": "REQUEST",
    "methodArn": f"{STAGE}/GET/orders/7",
    "resource": "/orders/{id}",
    "path": "/orders/7",
    "httpMethod": "GET",
    "headers": {"Authorization": "Bearer t0ken", "Cookie": "a=1"},
    "multiValueHeaders": {"Authorization": ["Bearer t0ken"], "Cookie": ["a=1"]},
    "queryStringParameters": {"page": "2"},
    "multiValueQueryStringParameters": {"page": ["1", "2"]},
    "requestContext": {"requestId": "r-1", "identity": {"sourceIp": "203.0.113.9"}, "requestTimeEpoch": 1629470210043},
}
HTTP = {
    "version": "2.0",
    "type": "REQUEST",
    "routeArn": f"{STAGE}/GET/orders/7",
    "identitySource": ["key-1"],
    "routeKey": "GET /orders/{id}",
    "rawPath": "/prod/orders/7",
    "rawQueryString": "page=1&page=2",
    "cookies": ["a=1", "b=2"],
    "headers": {"x-api-key": "key-1"},
    "requestContext": {
        "http": {"method": "GET", "path": "/prod/orders/7", "sourceIp": "203.0.113.9"},
        "requestId": "r-2",
        "routeKey": "GET /orders/{id}",
        "stage": "prod",
        "timeEpoch": 1583348638390,
    },
}
SOCKET = {
    "type": "REQUEST",
    "methodArn": f"{STAGE}/$connect",
    "headers": {"HeaderAuth1": "value"},
    "queryStringParameters": {"token": "t0ken"},
    "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c-1", "stage": "prod"},
}
APPSYNC = {
    "authorizationToken": "t0ken",
    "requestContext": {"apiId": "a", "requestId": "r-3", "queryString": "query {a}", "operationName": "A"},
}
# The sample of the Event API developer guide (Lambda authorization).
CHANNEL = {
    "authorizationToken": "t0ken",
    "requestContext": {
        "apiId": "a",
        "accountId": "111122223333",
        "requestId": "r-4",
        "operation": "EVENT_SUBSCRIBE",
        "channelNamespaceName": "news",
        "channel": "/news/latest",
    },
    "requestHeaders": {"Header": "value"},
}
ALL = [TOKEN, REQUEST, HTTP, SOCKET, APPSYNC, CHANNEL]
BOTH = (Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER)


def statement(decision, payload=TOKEN):
    """The one statement of the policy that a decision becomes."""
    (only,) = answer(read_one(payload), decision)["policyDocument"]["Statement"]
    return only


def test_real_payloads_are_read_and_decided():
    for file, payload, _ in real(*BOTH):
        event = read_one(payload)
        decision = answer(event, Allow("u-1", resources="*"))
        if "methodArn" in payload:
            assert decision["principalId"] == "u-1", file
            (only,) = decision["policyDocument"]["Statement"]
            assert payload["methodArn"].startswith(only["Resource"].removesuffix("*")), file
        else:
            assert decision["isAuthorized"] is True, file
        assert event.text, file


def test_a_token_is_all_there_is():
    event = read_one(TOKEN)
    assert (event.name, event.text, event.body) == ("token", "Bearer t0ken", b"Bearer t0ken")
    assert (event.method, event.path) == ("GET", "/orders/7")
    assert dict(event.headers) == {}


def test_a_request_of_payload_1():
    event = read_one(REQUEST)
    assert (event.name, event.method, event.path) == ("/orders/{id}", "GET", "/orders/7")
    assert event.text == "Bearer t0ken"
    assert event.query.getall("page") == ["1", "2"]
    assert event.cookies == {"a": "1"}
    assert (event.id, event.source_ip) == ("r-1", "203.0.113.9")
    assert event.timestamp.year == 2021
    assert event.claims == {}
    assert not event._speaks_http


def test_a_request_of_payload_2():
    event = read_one(HTTP)
    assert (event.name, event.method, event.path) == ("GET /orders/{id}", "GET", "/orders/7")
    assert event.text == "key-1"
    assert event.query.getall("page") == ["1", "2"]
    assert event.cookies == {"a": "1", "b": "2"}
    assert (event.id, event.source_ip) == ("r-2", "203.0.113.9")


def test_the_path_is_that_of_the_request_whatever_the_arn_says():
    event = read_one({**HTTP, "routeArn": f"{STAGE}/POST/orders/*"})
    assert (event.method, event.path) == ("GET", "/orders/7")


def test_a_request_of_payload_2_without_its_context():
    event = read_one({"version": "2.0", "type": "REQUEST", "routeArn": f"{STAGE}/GET/a/b", "identitySource": None})
    assert (event.name, event.method, event.path, event.text) == ("request", "GET", "/a/b", "")


def test_a_connecting_websocket():
    event = read_one(SOCKET)
    assert (event.source, event.name) == (Source.AUTHORIZER, "$connect")
    assert event.headers["headerauth1"] == "value"
    assert event.query["token"] == "t0ken"
    assert (event.method, event.path) == ("", "")
    assert statement(Allow(), SOCKET)["Resource"] == SOCKET["methodArn"]


def test_the_authorizer_of_appsync():
    event = read_one(APPSYNC)
    # Not the operation: the client chooses its name.
    assert (event.source, event.name, event.text) == (Source.APPSYNC_AUTHORIZER, "token", "t0ken")
    assert (event.id, event.method, event.path) == ("r-3", "", "")


def test_a_client_never_hands_in_a_session():
    event = read_one({**REQUEST, "session": {"user": "root"}})
    event._policy = SessionPolicy()
    assert event.session.user is None


def test_a_policy_for_payload_1():
    decision = answer(read_one(REQUEST), Allow("u-1", context={"tenant": "acme", "level": 3, "vip": True}))
    assert decision == {
        "principalId": "u-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": REQUEST["methodArn"]},
            ],
        },
        "context": {"tenant": "acme", "level": 3, "vip": True},
    }
    assert answer(read_one(REQUEST), Allow(usage_key="k-1"))["usageIdentifierKey"] == "k-1"


def test_a_denial_is_a_policy_too():
    assert statement(Deny()) == {
        "Action": "execute-api:Invoke",
        "Effect": "Deny",
        "Resource": TOKEN["methodArn"],
    }


@pytest.mark.parametrize(
    ("resources", "arns"),
    [
        ("*", f"{STAGE}/*"),
        ("GET /orders/*", f"{STAGE}/GET/orders/*"),
        # A star for the method would take "GET/admin" too, and with it /admin/orders.
        ("/orders", [f"{STAGE}/{method}/orders" for method in METHODS]),
        ("* /orders/*", [f"{STAGE}/{method}/orders/*" for method in METHODS]),
        ("$connect", f"{STAGE}/$connect"),
        ("send message", f"{STAGE}/send message"),  # a route key of a WebSocket API may hold a space
        (
            ["GET /a", "arn:aws:execute-api:eu-west-1:1:x/y/GET/b"],
            [f"{STAGE}/GET/a", "arn:aws:execute-api:eu-west-1:1:x/y/GET/b"],
        ),
    ],
)
def test_a_policy_for_more_than_what_was_called(resources, arns):
    assert statement(Allow(resources=resources))["Resource"] == arns


@pytest.mark.parametrize("called", ["GET/orders/*", "GET/orders/?", "*/orders", "GET/${aws:username}"])
def test_wildcards_that_a_client_put_into_the_path_widen_no_policy(called):
    payload = {**TOKEN, "methodArn": f"{STAGE}/{called}"}
    with pytest.raises(BadRequest, match="wildcards"):
        answer(read_one(payload), Allow())
    assert statement(Allow(resources="GET /orders"), payload)["Resource"] == f"{STAGE}/GET/orders"
    assert statement(Deny(), payload)["Effect"] == "Deny"


@pytest.mark.parametrize(
    "arn", ["", "arn", "arn:aws:s3:::bucket/key/x", "arn:aws:execute-api:eu-west-1:1:api", "a:b:execute-api:c:d:e/f/g"]
)
def test_an_arn_that_is_none_allows_nothing(arn):
    for decision in (Allow(), Allow(resources="*")):
        with pytest.raises(InvalidEvent, match="methodArn"):
            answer(read_one({**TOKEN, "methodArn": arn}), decision)


def test_payload_2_takes_the_simple_form_or_a_policy():
    event = read_one(HTTP)
    nested = {"roles": ["a", "b"], "of": {"tenant": "acme"}}
    assert answer(event, Allow(context=nested)) == {"isAuthorized": True, "context": nested}
    assert answer(event, Deny()) == {"isAuthorized": False, "context": {}}
    assert statement(Allow(policy=True), HTTP)["Resource"] == HTTP["routeArn"]


def test_appsync_takes_a_form_of_its_own():
    event = read_one(APPSYNC)
    decision = Allow(context={"tenant": "acme"}, denied_fields=["Mutation.createTask"], ttl=0)
    assert answer(event, decision) == {
        "isAuthorized": True,
        "resolverContext": {"tenant": "acme"},
        "deniedFields": ["Mutation.createTask"],
        "ttlOverride": 0,
    }
    assert answer(event, Deny()) == {"isAuthorized": False, "resolverContext": {}, "deniedFields": []}
    assert answer(event, Allow(denied_fields="Query.order"))["deniedFields"] == ["Query.order"]


def test_the_context_takes_what_has_a_plain_form():
    context = {"id": UUID(int=1), "price": Decimal("1.5")}
    assert answer(read_one(TOKEN), Allow(context=context))["context"] == {"id": str(UUID(int=1)), "price": 1.5}


@pytest.mark.parametrize("payload", [TOKEN, REQUEST, SOCKET, APPSYNC, CHANNEL])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, None])
def test_a_context_that_the_api_would_refuse_is_refused_here(payload, value):
    with pytest.raises(ConfigurationError, match="'roles'"):
        answer(read_one(payload), Allow(context={"roles": value}))


def test_null_is_refused_in_every_context():
    with pytest.raises(ConfigurationError, match="null"):
        answer(read_one(HTTP), Allow(context={"roles": None}))
    with pytest.raises(EncodeError):
        answer(read_one(HTTP), Allow(context={"roles": object()}))


@pytest.mark.parametrize("text", ["a\r\nx-admin: 1", "a\nb", "a\0b"])
def test_no_second_header_comes_out_of_a_decision(text):
    with pytest.raises(ConfigurationError, match="principal"):
        Allow(text)
    with pytest.raises(ConfigurationError, match="usage_key"):
        Allow(usage_key=text)
    with pytest.raises(ConfigurationError, match="'name'"):
        answer(read_one(TOKEN), Allow(context={"name": text}))


def test_arguments_of_the_wrong_kind_are_refused():
    wrong: Any
    for wrong in ("", None, 5, ["u-1"]):
        with pytest.raises(ConfigurationError, match="principal"):
            Allow(wrong)
    with pytest.raises(ConfigurationError, match="mapping"):
        Allow(context=wrong)


def test_a_decision_shows_who_it_is_about():
    assert repr(Allow("u-1", context={"secret": "s"})) == "Allow('u-1')"


@pytest.mark.parametrize("payload", ALL)
def test_true_allows_and_false_denies(payload):
    event = read_one(payload)
    assert answer(event, True) == answer(event, Allow())
    assert answer(event, False) == answer(event, Deny())
    assert answer(event, True) != answer(event, False)


@pytest.mark.parametrize("payload", ALL)
@pytest.mark.parametrize("result", [None, 1, "yes", [], "Allow", Allow, object()])
def test_what_is_no_decision_denies(payload, result, caplog):
    event = read_one(payload)
    with caplog.at_level(logging.WARNING, "router"):
        assert answer(event, result) == answer(event, Deny())
    assert "no decision" in caplog.text


def test_a_dictionary_goes_as_it_is():
    own = {"principalId": "me", "policyDocument": {"Statement": []}}
    assert answer(read_one(TOKEN), own) == own


@pytest.mark.parametrize("payload", [TOKEN, REQUEST, SOCKET])
def test_unauthorized_is_said_the_way_api_gateway_answers_401(payload):
    with pytest.raises(Unauthorized) as caught:
        failed(read_one(payload), Unauthorized("the token has expired"))
    assert str(caught.value) == "Unauthorized"


@pytest.mark.parametrize("payload", [HTTP, APPSYNC, CHANNEL])
def test_unauthorized_denies_where_there_is_no_401(payload):
    event = read_one(payload)
    assert failed(event, Unauthorized()) == answer(event, Deny())


@pytest.mark.parametrize("payload", ALL)
def test_forbidden_denies_and_other_errors_fail(payload):
    event = read_one(payload)
    assert failed(event, Forbidden("not yours")) == answer(event, Deny())
    error = ValueError("database is down")
    with pytest.raises(ValueError, match="database") as caught:
        failed(event, error)
    assert caught.value is error


@FUZZ
@given(mutations([*ALL, *[payload for _, payload, _ in real(*BOTH)]]))
def test_whatever_it_holds(payload):
    survives(
        payload,
        {*BOTH, Source.APPSYNC_EVENTS_AUTHORIZER},
        [True, False, None, {}, Allow(resources="*"), Allow(policy=True), Deny()],
    )


# ---- Event APIs ------------------------------------------------------------------------------------------------------


def test_the_authorizer_of_an_event_api():
    event = read_one(CHANNEL)
    assert isinstance(event, ChannelAuthorizerEvent)
    assert (event.source, event.name, event.change) == (Source.APPSYNC_EVENTS_AUTHORIZER, *["EVENT_SUBSCRIBE"] * 2)
    assert (event.channel, event.path, event.namespace) == ("/news/latest", "/news/latest", "news")
    assert (event.text, event.headers["header"], event.id) == ("t0ken", "value", "r-4")
    connecting = read_one(samples.appsync_events_authorizer(operation="EVENT_CONNECT"))
    assert (connecting.name, connecting.channel, connecting.namespace) == ("EVENT_CONNECT", "", "")


def test_the_form_of_an_event_api():
    event = read_one(CHANNEL)
    decision = Allow("ann", context={"tenant": "acme"}, ttl=300)
    assert answer(event, decision) == {"isAuthorized": True, "handlerContext": {"tenant": "acme"}, "ttlOverride": 300}
    assert answer(event, Deny(resources="*", ttl=0)) == {"isAuthorized": False, "handlerContext": {}, "ttlOverride": 0}


@pytest.mark.parametrize(
    "options",
    [
        {"resources": "*"},
        {"resources": []},
        {"usage_key": "k"},
        {"policy": True},
        {"denied_fields": "a"},
        {"policies": [{}]},
        {"disconnect_after": 300},
    ],
)
def test_an_option_that_means_nothing_to_an_event_api_is_refused(options):
    (name,) = options
    if options != {"resources": []}:
        with pytest.raises(ConfigurationError, match=f"{name}= has no meaning"):
            answer(read_one(CHANNEL), Allow(**options))
    else:  # an empty list denies
        assert answer(read_one(CHANNEL), Allow(**options))["isAuthorized"] is False
    assert answer(read_one(CHANNEL), Deny(**options))["isAuthorized"] is False


@pytest.mark.parametrize("payload", [TOKEN, REQUEST, HTTP, SOCKET, APPSYNC])
def test_an_option_of_iot_is_refused_elsewhere(payload):
    for decision in (Allow(policies=[{"Statement": []}]), Allow(disconnect_after=300)):
        with pytest.raises(ConfigurationError, match="has no meaning"):
            answer(read_one(payload), decision)


@pytest.mark.parametrize("ttl", [-1, 3601, 1.5, True, "60"])
def test_a_time_that_appsync_does_not_take_is_refused(ttl):
    for payload in (APPSYNC, CHANNEL):
        with pytest.raises(ConfigurationError, match="whole seconds from 0 to 3,600"):
            answer(read_one(payload), Allow(ttl=ttl))


@pytest.mark.parametrize("own", [{}, {"isAuthorized": "yes"}, {"isAuthorized": 1}, {"handlerContext": {}}])
def test_a_dictionary_that_decides_nothing_denies(own, caplog):
    assert answer(read_one(CHANNEL), own)["isAuthorized"] is False
    assert "no decision" in caplog.text
    finished = {"isAuthorized": True, "handlerContext": {"a": "b"}}
    assert answer(read_one(CHANNEL), finished) == finished


def test_a_handler_that_fails_lets_nobody_in():
    resolver = Resolver()

    @resolver.on(Source.APPSYNC_EVENTS_AUTHORIZER, "EVENT_SUBSCRIBE")
    def decide(event: ChannelAuthorizerEvent):
        if event.channel == "/a/forbidden":
            raise Forbidden
        raise ValueError("database is down")

    client = TestClient(resolver)
    refused = client.event(samples.appsync_events_authorizer(channel="/a/forbidden"))
    assert refused == {"isAuthorized": False, "handlerContext": {}}
    with pytest.raises(ValueError, match="database"):
        client.event(samples.appsync_events_authorizer())
    with pytest.raises(NoRoute):
        client.event(samples.appsync_events_authorizer(operation="EVENT_CONNECT"))


# ---- resources where an answer names none, and tokens ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "called", "allowed"),
    [
        ("GET /orders/*", "GET/orders/7", True),
        ("GET /orders/*", "GET/orders/7/items", True),
        ("GET /orders/*", "DELETE/admin", False),
        ("GET /orders/*", "DELETE/orders/7", False),
        ("GET /orders/?", "GET/orders/77", False),
        ("/orders/*", "DELETE/orders/7", True),
        ("/orders/*", "GET/admin/orders/7", False),
        ("* /orders/*", "GET/admin/orders/7", False),
        (["GET /a", "GET /b"], "GET/b", True),
        ("*", "DELETE/admin", True),
        (f"{STAGE}/GET/orders/*", "GET/orders/7", True),
        ("arn:aws:execute-api:eu-west-1:1:other/prod/*", "GET/orders/7", False),
        (f"{STAGE}/GET/${{aws:username}}", "GET/${aws:username}", False),
        ("GET /a.c", "GET/abc", False),
        ("orders", "GET/orders", False),
        ([], "GET/orders/7", False),
        ((), "GET/orders/7", False),
    ],
)
def test_a_simple_answer_allows_only_what_is_among_the_resources(resources, called, allowed):
    event = read_one({**HTTP, "routeArn": f"{STAGE}/{called}"})
    assert answer(event, Allow("ann", resources=resources))["isAuthorized"] is allowed
    assert answer(event, Deny("ann", resources=resources))["isAuthorized"] is False


@pytest.mark.parametrize("arn", ["", "arn", "arn:aws:s3:::bucket/key/x"])
def test_a_list_that_cannot_be_judged_denies(arn):
    assert answer(read_one({**HTTP, "routeArn": arn}), Allow(resources="*"))["isAuthorized"] is False
    assert answer(read_one(APPSYNC), Allow(resources=["GET /orders"]))["isAuthorized"] is False
    assert answer(read_one(APPSYNC), Allow(resources=[]))["isAuthorized"] is False
    assert answer(read_one(APPSYNC), Allow(resources="*"))["isAuthorized"] is True


@pytest.mark.parametrize("decision", [Allow(resources=[]), Deny(resources=())])
@pytest.mark.parametrize("payload", [TOKEN, REQUEST, SOCKET])
def test_an_empty_list_is_a_policy_that_denies(decision, payload):
    assert statement(decision, payload) == {
        "Action": "execute-api:Invoke",
        "Effect": "Deny",
        "Resource": f"{STAGE}/*",
    }


@pytest.mark.parametrize("resources", [[None], [5], [""], ["GET /a\n"]])
def test_resources_that_are_no_text_are_refused(resources):
    with pytest.raises(ConfigurationError, match="a resource must be text"):
        Allow(resources=resources)


@pytest.mark.parametrize(
    ("identity", "token"),
    [
        (["session=abc"], "session=abc"),
        (["key-1", "GET /orders"], "key-1"),
        (["GET /orders", "Bearer t0ken"], "Bearer t0ken"),  # the header that is one of them
        ("session=abc", "session=abc"),  # payload 1.0
        ("key-1,GET /orders", "key-1"),
        ("GET /orders,Bearer t0ken", "Bearer t0ken"),
        (None, "Bearer t0ken"),
        ([], "Bearer t0ken"),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_the_token_is_what_the_identity_source_holds(identity, token, version):
    arn = {"routeArn": HTTP["routeArn"]} if version == "2.0" else {"methodArn": REQUEST["methodArn"]}
    payload = HTTP if version == "2.0" else REQUEST
    event = read_one({**payload, **arn, "identitySource": identity, "headers": {"authorization": "Bearer t0ken"}})
    assert event.text == token
