"""botocore's errors as typed ones: which class, what they say, and what they never say."""

from __future__ import annotations

import traceback

import pytest
from botocore import exceptions

from adapters.errors import (
    AccessDenied,
    AdapterError,
    ConnectionFailed,
    CredentialsExpired,
    CredentialsMissing,
    FailedEntry,
    InvalidMessage,
    MessageTooLarge,
    PartialFailure,
    ResourceNotFound,
    Throttled,
)
from router.errors import ConfigurationError, RouterError
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

BODY = "the body of the message"


def failing(error, service="sns", operation="publish", **parameters):
    """What a call raises when botocore raises `error`."""
    parameters = parameters or {"TopicArn": "arn:topic", "Message": BODY}
    with pytest.raises((RouterError, KeyError)) as raised:
        fake_aws({service: FakeClient(**{operation: error})}).call(service, operation, **parameters)
    return raised.value


class TestClasses:
    @pytest.mark.parametrize(
        ("code", "status", "kind", "retryable"),
        [
            ("AccessDenied", 403, AccessDenied, False),
            ("AuthorizationError", 403, AccessDenied, False),
            ("InvalidClientTokenId", 403, AccessDenied, False),
            ("SignatureDoesNotMatch", 403, AccessDenied, False),
            ("ExpiredToken", 403, CredentialsExpired, False),
            ("NotFound", 404, ResourceNotFound, False),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, ResourceNotFound, False),
            ("QueueDoesNotExist", 400, ResourceNotFound, False),
            ("ThrottlingException", 400, Throttled, True),
            ("RequestThrottled", 400, Throttled, True),
            ("KMSThrottling", 400, Throttled, True),
            ("BatchRequestTooLong", 400, MessageTooLarge, False),
            ("InvalidParameter", 400, InvalidMessage, False),
            ("InternalError", 500, AdapterError, True),
            ("KmsDisabled", 400, AdapterError, False),
        ],
    )
    def test_of_an_answer(self, code, status, kind, retryable):
        error = failing(refusal(code, "words of the service.", status))
        assert type(error) is kind
        assert (error.service, error.operation, error.resource) == ("sns", "publish", "arn:topic")
        assert error.code == code.rpartition(".")[2]
        assert error.retryable is retryable
        assert error.request_id == "request-1"
        assert str(error).startswith("sns.publish arn:topic: ")

    def test_a_message_that_is_too_long_for_the_topic_is_too_large(self):
        error = failing(refusal("InvalidParameter", "Invalid parameter: Message too long"))
        assert type(error) is MessageTooLarge
        assert "offload=Offload" in str(error)

    @pytest.mark.parametrize(
        ("error", "kind", "retryable"),
        [
            (exceptions.NoCredentialsError(), CredentialsMissing, False),
            (exceptions.PartialCredentialsError(provider="env", cred_var="secret"), CredentialsMissing, False),
            (exceptions.ProfileNotFound(profile="prod"), CredentialsMissing, False),
            (exceptions.EndpointConnectionError(endpoint_url="https://x"), ConnectionFailed, True),
            (exceptions.ConnectTimeoutError(endpoint_url="https://x"), ConnectionFailed, True),
            (exceptions.ReadTimeoutError(endpoint_url="https://x"), ConnectionFailed, True),
            (exceptions.SSLError(endpoint_url="https://x", error=OSError("no")), ConnectionFailed, True),
            (exceptions.ConnectionClosedError(endpoint_url="https://x"), ConnectionFailed, True),
            (exceptions.DataNotFoundError(data_path="x"), AdapterError, False),
        ],
    )
    def test_of_a_request_without_an_answer(self, error, kind, retryable):
        typed = failing(error)
        assert type(typed) is kind
        assert typed.retryable is retryable
        assert "arn:topic" in str(typed)

    def test_no_region_is_a_mistake_of_the_configuration(self):
        assert "AWS_REGION" in str(failing(exceptions.NoRegionError()))
        assert isinstance(failing(exceptions.NoRegionError()), ConfigurationError)

    def test_a_role_that_may_not_be_assumed_is_named_as_such(self):
        error = failing(refusal("AccessDenied", "not authorized", 403, operation="AssumeRole"))
        assert (error.service, error.operation) == ("sts", "assume_role")
        assert "Settings(roles=...)" in str(error)

    def test_what_is_not_of_botocore_stays_as_it_is(self):
        original = KeyError("mine")
        assert failing(original) is original


class TestWhatIsNeverSaid:
    def test_the_body_that_botocore_quotes(self):
        report = f"Invalid type for parameter Message, value: {BODY}, type: <class 'int'>, valid types: <class 'str'>"
        error = failing(exceptions.ParamValidationError(report=report))
        assert type(error) is InvalidMessage
        assert "parameter: Message" in str(error)
        assert BODY not in "".join(traceback.format_exception(error))
        assert error.__context__ is None

    def test_names_of_missing_and_unknown_parameters_are_said(self):
        report = 'Missing required parameter in input: "QueueUrl"\nUnknown parameter in input: "Quue", must be: x'
        assert "QueueUrl, Quue" in str(failing(exceptions.ParamValidationError(report=report)))

    @pytest.mark.parametrize(
        "text",
        [
            f"1 validation error detected: Value '{BODY}' at 'messageBody' failed to satisfy constraint",
            f"Value '{BODY}\nmore' at 'x' failed",
            "The security token AKIAIOSFODNN7EXAMPLE is invalid",
            "bad request: X-Amz-Signature=abcdef0123456789 is wrong",
            "denied. Encoded authorization failure message: s3cr3t-bl0b",
        ],
    )
    def test_what_services_repeat(self, text):
        shown = "".join(traceback.format_exception(failing(refusal("InvalidParameterValue", text))))
        for hidden in (BODY, "AKIAIOSFODNN7EXAMPLE", "abcdef0123456789", "s3cr3t-bl0b"):
            assert hidden not in shown

    def test_the_text_of_a_refused_signature(self):
        text = "The Canonical String for this request should have been 'POST / ...'"
        error = failing(refusal("SignatureDoesNotMatch", text, 403))
        assert "Canonical" not in "".join(traceback.format_exception(error))


class TestPartialFailure:
    def test_names_every_failed_entry(self):
        failed = [FailedEntry(n, f"entry {n}", "InternalError", "try again") for n in (1, 4, 7)]
        failed.append(FailedEntry(9, "entry 9", "InvalidParameter", "no", sender_fault=True))
        error = PartialFailure(failed, {0: "m0"}, service="sns", operation="publish_batch", resource="arn:topic")
        assert str(error) == (
            "sns.publish_batch arn:topic: 4 of 5 messages failed: #1, #4, #7: InternalError try again; "
            "#9: InvalidParameter no"
        )
        assert [(one.entry, one.code) for one in error.failed][:1] == [("entry 1", "InternalError")]
