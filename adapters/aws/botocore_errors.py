"""botocore's errors as those of `adapters.errors`.

The original is not chained: its text may quote what was sent, and that of a refused signature quotes the signature.
"""

from __future__ import annotations

from adapters.errors import (
    AccessDenied,
    AdapterError,
    ConnectionFailed,
    CredentialsExpired,
    CredentialsMissing,
    InvalidMessage,
    MessageTooLarge,
    ResourceNotFound,
    Throttled,
    WriteConflict,
    safe,
)
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODES: dict[type[AdapterError], frozenset[str]] = {
    AccessDenied: _words(
        """
        AccessDenied AccessDeniedException AuthorizationError AuthFailure Forbidden UnauthorizedOperation
        UnauthorizedException NotAuthorized NotAuthorizedException InvalidClientTokenId InvalidAccessKeyId
        UnrecognizedClientException SignatureDoesNotMatch InvalidSignatureException IncompleteSignature
        MissingAuthenticationToken MissingAuthenticationTokenException InvalidSecurity OptInRequired KMSAccessDenied
        KmsAccessDenied KMSOptInRequired KmsOptInRequired 403
        """
    ),
    CredentialsExpired: _words("ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired"),
    ResourceNotFound: _words(
        """
        NotFound NotFoundException QueueDoesNotExist NonExistentQueue ResourceNotFound ResourceNotFoundException
        NoSuchBucket NoSuchKey NoSuchUpload NoSuchEntity ParameterNotFound ParameterVersionNotFound
        ClusterNotFoundException ServiceNotFoundException StateMachineDoesNotExist ExecutionDoesNotExist
        EventBusDoesNotExist KMSNotFound KmsNotFound 404
        """
    ),
    Throttled: _words(
        """
        Throttling ThrottlingException ThrottledException Throttled RequestThrottled RequestThrottledException
        RequestLimitExceeded TooManyRequests TooManyRequestsException ProvisionedThroughputExceededException
        BandwidthLimitExceeded SlowDown PriorRequestNotComplete TransactionInProgressException OverLimit
        EC2ThrottledException KMSThrottling KmsThrottled 429
        """
    ),
    WriteConflict: _words(
        """
        TransactionConflictException ReplicatedWriteConflictException ConditionalRequestConflict OperationAborted
        """
    ),
    MessageTooLarge: _words(
        """
        BatchRequestTooLong MessageTooLong RequestEntityTooLarge RequestEntityTooLargeException
        RequestTooLargeException EntityTooLarge PayloadTooLargeException 413
        """
    ),
    InvalidMessage: _words(
        """
        InvalidParameter InvalidParameterException InvalidParameterValue InvalidParameterValueException
        InvalidParameterCombination ParameterValueInvalid InvalidMessageContents InvalidRequest InvalidAttributeValue
        MissingParameter ValidationError ValidationException InvalidRequestContentException
        """
    ),
}
_CLASS_OF = {code: kind for kind, codes in _CODES.items() for code in codes}

_ADVICE: dict[type[AdapterError], str] = {
    AccessDenied: "allow the action in the policy of the role that runs this, and in that of the resource",
    ResourceNotFound: "check its name, region and account, and that it was deployed",
    Throttled: "send less at a time, give Settings(attempts=...) more, or ask AWS for a higher quota",
    WriteConflict: "another write of it was under way; try again",
    CredentialsMissing: "give the function or task a role, or Settings a profile or keys",
    CredentialsExpired: "renew them; a role in Settings(roles=...) is renewed by itself",
    ConnectionFailed: "check region, endpoint, VPC endpoints and security groups; it may also be passing",
    MessageTooLarge: "shorten it, or give offload=Offload(...) so that the body travels through S3",
}
# Services answer a message over their limit with a plain invalid parameter, and say so in words.
_TOO_LONG = ("too long", "must be shorter", "must be less than", "larger than", "exceeds the maximum")
_WITHOUT_TEXT = frozenset(("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"))


def translate(error: Exception, service: str, operation: str, resource: str = "") -> Exception:
    """Return the typed error for one of botocore's; an error that is not of botocore comes back as it is."""
    where: dict[str, Any] = {"service": service, "operation": operation, "resource": resource}
    if isinstance(error, UnicodeError) or _is_of_a_header(error):
        what = "a text of the request cannot be encoded"
        return InvalidMessage(_message(service, operation, resource, what, InvalidMessage), **where)
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ImportError:
        return error

    if isinstance(error, ResponseParserError):  # of something in between; its text quotes the answer
        what = "the answer is not one of the service; look for a proxy in between"
        message = _message(service, operation, resource, what, AdapterError)
        return AdapterError(message, code="ResponseParserError", retryable=True, **where)
    if isinstance(error, ClientError):
        return _of_answer(error, service, operation, resource)
    if isinstance(error, BotoCoreError):
        return _of_client(error, service, operation, resource)
    return error


def _is_of_a_header(error: Exception) -> bool:
    """Return whether botocore failed over the value of a header: one that it cannot encode it makes an object of."""
    return isinstance(error, AttributeError) and type(error.obj).__name__ == "Header"


def _of_answer(error: Any, service: str, operation: str, resource: str) -> AdapterError:
    """Return the error for an answer of the service."""
    if error.operation_name == "AssumeRole" and operation != "assume_role":
        service, operation, resource = "sts", "assume_role", "a role of Settings(roles=...)"
    details, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    # The older SQS protocol prefixes its codes: AWS.SimpleQueueService.NonExistentQueue.
    code = str(details.get("Code", "")).rpartition(".")[2]
    status = metadata.get("HTTPStatusCode", 0)
    kind = _CLASS_OF.get(code, AdapterError)
    text = "" if code in _WITHOUT_TEXT else safe(str(details.get("Message", "")))
    if kind is InvalidMessage and any(words in text.lower() for words in _TOO_LONG):
        kind = MessageTooLarge
    typed = kind(
        _message(service, operation, resource, f"{code}: {text}" if text else code, kind),
        service=service,
        operation=operation,
        resource=resource,
        code=code,
        retryable=kind in (Throttled, WriteConflict) or status >= 500,
        request_id=str(metadata.get("RequestId", "")),
    )
    typed.repeated, typed.old = was_repeated(error.response), error.response.get("Item")
    return typed


def was_repeated(response: Any) -> bool:
    """Return whether botocore had sent the request before it got this answer."""
    return bool(response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _of_client(error: Exception, service: str, operation: str, resource: str) -> Exception:
    """Return the error for a request that never left, or got no answer."""
    from botocore import exceptions

    name = type(error).__name__
    where: dict[str, Any] = {"service": service, "operation": operation, "resource": resource, "code": name}
    if isinstance(error, exceptions.NoRegionError):
        return ConfigurationError(f"{service}: no region: set AWS_REGION, or give Settings(region=...)")
    if isinstance(error, exceptions.ParamValidationError):
        found = ", ".join(_parameters(str(error)))
        what = f"the request has a wrong or missing parameter: {found}"
        return InvalidMessage(_message(service, operation, resource, what, InvalidMessage), **where)
    if isinstance(error, exceptions.ProfileNotFound):
        return CredentialsMissing(_message(service, operation, resource, str(error), CredentialsMissing), **where)
    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.UnauthorizedSSOTokenError,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
    if isinstance(error, credentials):
        return CredentialsMissing(_message(service, operation, resource, name, CredentialsMissing), **where)
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return ConnectionFailed(_message(service, operation, resource, name, ConnectionFailed), retryable=True, **where)
    return AdapterError(_message(service, operation, resource, name, AdapterError), **where)


def _message(service: str, operation: str, resource: str, what: str, kind: type[AdapterError]) -> str:
    advice = _ADVICE.get(kind)
    named, what = f"{service}.{operation} {resource}".rstrip(), what.rstrip(". ")
    return f"{named}: {what}; {advice}" if advice else f"{named}: {what}"


def _parameters(report: str) -> list[str]:
    """Return the names in botocore's report of a bad request.

    Its text quotes the values, which may be a whole message.
    """
    import re

    missing = re.findall(r'Missing required parameter in [\w.\[\]]+: "(\w+)"', report)
    unknown = re.findall(r'Unknown parameter in [\w.\[\]]+: "(\w+)"', report)
    return [*missing, *unknown, *re.findall(r"for parameter ([\w.\[\]]+),", report)]
