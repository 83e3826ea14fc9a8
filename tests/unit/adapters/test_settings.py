"""Settings of the AWS adapters: what they refuse, what names become, and what the environment says."""

from __future__ import annotations

import pytest

from adapters.aws import Aws, Role, Settings
from router.errors import ConfigurationError

ROLE = "arn:aws:iam::123456789012:role/publisher"


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"attempts": 0}, "attempts=0"),
            ({"threads": True}, "threads=True"),
            ({"read_timeout": 0}, "read_timeout=..."),
            ({"backoff": -1}, "backoff=..."),
            ({"retry_mode": "never"}, "retry_mode='never'"),
            ({"access_key_id": "a"}, "go together"),
            ({"topic_name": "{name}-{where}"}, "use {name}"),
            ({"topic_name": "{name.__class__}"}, "without {name}"),
            ({"queue_name": "always-the-same"}, "without {name}"),
            ({"queue_name": "{stage}-{name}"}, "Settings(stage=...)"),
            ({"roles": ["publisher"]}, "arn:aws:iam"),
            ({"roles": [Role(ROLE)], "queue_max_bytes": 0}, "queue_max_bytes=0"),
        ],
    )
    def test_when_it_makes_no_sense(self, given, said):
        with pytest.raises(ConfigurationError) as raised:
            Settings(**given)
        assert said in str(raised.value)

    def test_a_role_that_lasts_too_long(self):
        with pytest.raises(ConfigurationError, match="900 to 43200"):
            Role(ROLE, duration=60)

    def test_a_change_of_what_is_not_there(self):
        with pytest.raises(ConfigurationError, match="regoin"):
            Settings().replace(regoin="eu-west-1")


class TestIdentity:
    def test_equal_settings_are_one_key_and_others_another(self):
        one = Settings(region="eu-west-1", topics={"a": "b"}, roles=[ROLE])
        assert one == Settings(region="eu-west-1", topics={"a": "b"}, roles=[Role(ROLE)])
        assert hash(one) == hash(Settings(region="eu-west-1", topics={"a": "b"}, roles=ROLE))
        assert one != one.replace(roles=[Role(ROLE, tags={"tenant": "acme"})])
        assert len({Role(ROLE), Role(ROLE, tags={"tenant": "a"}), Role(ROLE, tags={"tenant": "b"})}) == 3

    def test_keys_are_never_shown(self):
        shown = repr(Settings(access_key_id="AKIAEXAMPLE", secret_access_key="very-secret", session_token="token-text"))
        assert "AKIAEXAMPLE" not in shown
        assert "very-secret" not in shown
        assert "token-text" not in shown

    def test_maps_are_copies_that_cannot_change(self):
        topics = {"events": "order-events"}
        settings = Settings(topics=topics)
        topics["events"] = "other"
        assert settings.topic("events") == "order-events"
        with pytest.raises(TypeError):
            settings.topics["events"] = "other"  # type: ignore[index]


class TestNames:
    def test_go_through_map_and_template(self):
        settings = Settings(
            service="shop", stage="dev", topic_name="{service}-{stage}-{name}", topics={"audit": "shared-audit"}
        )
        assert settings.topic("orders") == "shop-dev-orders"
        assert settings.topic("audit") == "shared-audit"
        assert settings.topic("arn:aws:sns:eu-west-1:1:x") == "arn:aws:sns:eu-west-1:1:x"

    def test_of_fifo_end_in_fifo_whatever_the_template(self):
        settings = Settings(stage="dev", queue_name="{name}-{stage}")
        assert settings.queue("orders.fifo") == "orders-dev.fifo"
        assert settings.queue("https://sqs.eu-west-1.amazonaws.com/1/x").endswith("/1/x")


class TestEnvironment:
    def test_says_everything(self):
        settings = Settings.from_env(
            {
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_PROFILE": "",
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_SESSION_TOKEN": "token",
                "AWS_ENDPOINT_URL": "http://localhost:1",
                "AWS_ENDPOINT_URL_SQS": "http://localhost:2",
                "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://localhost:3",
                "AWS_MAX_ATTEMPTS": "5",
                "JUNCTION_ACCOUNT": "123456789012",
                "JUNCTION_SERVICE": "shop",
                "JUNCTION_STAGE": "dev",
                "JUNCTION_QUEUE_NAME": "{service}-{stage}-{name}",
                "JUNCTION_TOPICS": '{"events": "shared-events"}',
                "JUNCTION_ROLES": f"{ROLE}, {ROLE}-2",
                "JUNCTION_READ_TIMEOUT": "2.5",
            }
        )
        assert settings.region == "eu-west-1"
        assert settings.profile is None
        assert (settings.access_key_id, settings.secret_access_key, settings.session_token) == ("id", "secret", "token")
        assert settings.endpoint_of("sqs") == "http://localhost:2"
        assert settings.endpoint_of("events") == "http://localhost:3"
        assert settings.endpoint_of("sns") == "http://localhost:1"
        assert settings.attempts == 5
        assert settings.account == "123456789012"
        assert settings.queue("orders") == "shop-dev-orders"
        assert settings.topic("events") == "shared-events"
        assert [role.arn for role in settings.chain] == [ROLE, f"{ROLE}-2"]
        assert settings.read_timeout == 2.5

    def test_keyword_arguments_win(self):
        assert Settings.from_env({"AWS_REGION": "eu-west-1"}, region="us-east-1").region == "us-east-1"

    def test_the_account_is_that_of_the_role(self):
        environ = {"AWS_ACCOUNT_ID": "210987654321", "JUNCTION_ROLES": ROLE}
        assert Settings.from_env({"AWS_ACCOUNT_ID": "210987654321"}).account == "210987654321"
        assert Aws(Settings.from_env(environ)).account() == "123456789012"
        assert Settings.from_env({**environ, "JUNCTION_ACCOUNT": "1"}).account == "1"

    def test_roles_in_full(self):
        text = f'["{ROLE}", {{"arn": "{ROLE}", "external_id": "x", "duration": 900}}]'
        roles = Settings.from_env({"JUNCTION_ROLES": text}).chain
        assert roles == (Role(ROLE), Role(ROLE, external_id="x", duration=900))

    def test_endpoints_can_be_switched_off(self):
        environ = {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
        assert Settings.from_env(environ).endpoint_of("sns") is None

    def test_one_service_alone_has_an_endpoint(self):
        settings = Settings.from_env({"AWS_ENDPOINT_URL_SNS": "http://localhost:1"})
        assert settings.endpoint_of("sns") == "http://localhost:1"
        assert settings.endpoint_of("sqs") is None
        assert Settings.from_env({"AWS_ENDPOINT_URL": "http://localhost:1"}).endpoint_of("s3") == "http://localhost:1"

    def test_keys_that_end_are_left_to_botocore(self):
        keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
        assert Settings.from_env(keys).access_key_id == "id"
        ending = {**keys, "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z"}
        assert Settings.from_env(ending).access_key_id is None

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("JUNCTION_ATTEMPTS", "many", "must be a number"),
            ("JUNCTION_TOPICS", "{", "not valid JSON"),
            ("JUNCTION_QUEUES", '{"a": 1}', "object of texts"),
            ("JUNCTION_ROLES", "[", "not valid JSON"),
            ("JUNCTION_ROLES", '[{"name": "x"}]', "fields of Role"),
        ],
    )
    def test_what_is_wrong_is_named(self, name, value, said):
        with pytest.raises(ConfigurationError) as raised:
            Settings.from_env({name: value})
        assert name in str(raised.value)
        assert said in str(raised.value)
