"""Junction: one AWS Lambda deployment serves every trigger.

Names are loaded when they are first used: a cold start pays for what its first event needs.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.convert.markers import Body as Body
    from router.convert.markers import Cookie as Cookie
    from router.convert.markers import Depends as Depends
    from router.convert.markers import Header as Header
    from router.convert.markers import Path as Path
    from router.convert.markers import Query as Query
    from router.dispatch.chain import NOTHING as NOTHING
    from router.dispatch.chain import Around as Around
    from router.dispatch.chain import AsyncAround as AsyncAround
    from router.dispatch.chain import Middleware as Middleware
    from router.dispatch.envelope import Envelope as Envelope
    from router.dispatch.receivers import Receiver as Receiver
    from router.env import Env as Env
    from router.errors import AnswerTooLarge as AnswerTooLarge
    from router.errors import AppError as AppError
    from router.errors import BadRequest as BadRequest
    from router.errors import ConfigurationError as ConfigurationError
    from router.errors import Conflict as Conflict
    from router.errors import ContentTooLarge as ContentTooLarge
    from router.errors import EncodeError as EncodeError
    from router.errors import Forbidden as Forbidden
    from router.errors import Gone as Gone
    from router.errors import HandlerTimeout as HandlerTimeout
    from router.errors import HTTPError as HTTPError
    from router.errors import InvalidEvent as InvalidEvent
    from router.errors import MethodNotAllowed as MethodNotAllowed
    from router.errors import MisdirectedRequest as MisdirectedRequest
    from router.errors import NoRoute as NoRoute
    from router.errors import NotAcceptable as NotAcceptable
    from router.errors import NotFound as NotFound
    from router.errors import PreconditionFailed as PreconditionFailed
    from router.errors import RecordsFailed as RecordsFailed
    from router.errors import RouteConflict as RouteConflict
    from router.errors import RouterError as RouterError
    from router.errors import ServiceUnavailable as ServiceUnavailable
    from router.errors import SessionError as SessionError
    from router.errors import SessionIncomplete as SessionIncomplete
    from router.errors import TooManyRequests as TooManyRequests
    from router.errors import Unauthorized as Unauthorized
    from router.errors import UnprocessableContent as UnprocessableContent
    from router.errors import UnsupportedMediaType as UnsupportedMediaType
    from router.errors import WrongFunction as WrongFunction
    from router.event import Event as Event
    from router.event import Source as Source
    from router.guards.auth import Auth as Auth
    from router.guards.authenticate import Authenticate as Authenticate
    from router.identity import ALL_TENANTS as ALL_TENANTS
    from router.identity import Identity as Identity
    from router.middleware.body_limit import BodyLimit as BodyLimit
    from router.middleware.compress import Compress as Compress
    from router.middleware.cors import Cors as Cors
    from router.middleware.etag import ETag as ETag
    from router.middleware.recorder import Recorder as Recorder
    from router.middleware.security_headers import SecurityHeaders as SecurityHeaders
    from router.middleware.success import SuccessAnswers as SuccessAnswers
    from router.middleware.timing import Timing as Timing
    from router.resolver import Resolver as Resolver
    from router.response import Response as Response
    from router.router import Router as Router
    from router.routing.route import Route as Route
    from router.session import Session as Session
    from router.session import current_event as current_event
    from router.session import get_session as get_session
    from router.session import reset_session as reset_session
    from router.session import set_session as set_session
    from router.session_legacy import LegacySessions as LegacySessions
    from router.session_policy import SessionPolicy as SessionPolicy
    from router.session_request import FromRequest as FromRequest
    from router.signals import BatchItemFailures as BatchItemFailures
    from router.signals import Discard as Discard
    from router.signals import Retry as Retry
    from router.signing import Signing as Signing
    from router.sources import read as read
    from router.sources._decisions import Allow as Allow
    from router.sources._decisions import Deny as Deny
    from router.sources._registry import detect as detect
    from router.sources.appsync import AppSyncEvent as AppSyncEvent
    from router.sources.appsync_events import ChannelEvent as ChannelEvent
    from router.sources.authorizer import AuthorizerEvent as AuthorizerEvent
    from router.sources.authorizer import ChannelAuthorizerEvent as ChannelAuthorizerEvent
    from router.sources.bedrock import BedrockEvent as BedrockEvent
    from router.sources.brokers import BrokerEvent as BrokerEvent
    from router.sources.brokers import DocumentDbEvent as DocumentDbEvent
    from router.sources.bus import BusEvent as BusEvent
    from router.sources.bus import ScheduleEvent as ScheduleEvent
    from router.sources.cloudformation import CloudFormationEvent as CloudFormationEvent
    from router.sources.cloudfront import CloudFrontEvent as CloudFrontEvent
    from router.sources.cognito import CognitoEvent as CognitoEvent
    from router.sources.firehose import Transformed as Transformed
    from router.sources.firehose import TransformEvent as TransformEvent
    from router.sources.http import HttpEvent as HttpEvent
    from router.sources.invoke import InvokeEvent as InvokeEvent
    from router.sources.invoke import TaskEvent as TaskEvent
    from router.sources.iot import IotAuthorizerEvent as IotAuthorizerEvent
    from router.sources.iot import ProvisioningEvent as ProvisioningEvent
    from router.sources.kafka import KafkaEvent as KafkaEvent
    from router.sources.logs import LogsEvent as LogsEvent
    from router.sources.notices import CodeCommitEvent as CodeCommitEvent
    from router.sources.notices import SesEvent as SesEvent
    from router.sources.s3 import ObjectEvent as ObjectEvent
    from router.sources.sns import TopicEvent as TopicEvent
    from router.sources.sqs import QueueEvent as QueueEvent
    from router.sources.streams import StreamEvent as StreamEvent
    from router.sources.streams import Window as Window
    from router.sources.tool import ToolEvent as ToolEvent
    from router.sources.transfer import TransferLoginEvent as TransferLoginEvent
    from router.sources.transfer import TransferUser as TransferUser
    from router.sources.websocket import SocketEvent as SocketEvent
    from router.streaming import ServerSentEvent as ServerSentEvent

# Names of modules are relative to this one, here and wherever one is imported by its name: a copy of the library may
# live in another package (`junction vendor`).
_HOMES = {
    "dispatch.chain": ("NOTHING", "Around", "AsyncAround", "Middleware"),
    "dispatch.envelope": ("Envelope",),
    "dispatch.receivers": ("Receiver",),
    "convert.markers": ("Body", "Cookie", "Depends", "Header", "Path", "Query"),
    "env": ("Env",),
    "guards.auth": ("Auth",),
    "guards.authenticate": ("Authenticate",),
    "identity": ("ALL_TENANTS", "Identity"),
    "errors": (
        "AnswerTooLarge",
        "AppError",
        "BadRequest",
        "ConfigurationError",
        "Conflict",
        "ContentTooLarge",
        "EncodeError",
        "Forbidden",
        "Gone",
        "HTTPError",
        "HandlerTimeout",
        "InvalidEvent",
        "MethodNotAllowed",
        "MisdirectedRequest",
        "NoRoute",
        "NotAcceptable",
        "NotFound",
        "PreconditionFailed",
        "RecordsFailed",
        "RouteConflict",
        "RouterError",
        "ServiceUnavailable",
        "SessionError",
        "SessionIncomplete",
        "TooManyRequests",
        "Unauthorized",
        "UnprocessableContent",
        "UnsupportedMediaType",
        "WrongFunction",
    ),
    "event": ("Event", "Source"),
    "middleware.body_limit": ("BodyLimit",),
    "middleware.compress": ("Compress",),
    "middleware.cors": ("Cors",),
    "middleware.etag": ("ETag",),
    "middleware.recorder": ("Recorder",),
    "middleware.security_headers": ("SecurityHeaders",),
    "middleware.success": ("SuccessAnswers",),
    "middleware.timing": ("Timing",),
    "sources": ("read",),
    "resolver": ("Resolver",),
    "response": ("Response",),
    "router": ("Router",),
    "routing.route": ("Route",),
    "signals": ("BatchItemFailures", "Discard", "Retry"),
    "session": ("Session", "current_event", "get_session", "reset_session", "set_session"),
    "session_legacy": ("LegacySessions",),
    "session_policy": ("SessionPolicy",),
    "session_request": ("FromRequest",),
    "signing": ("Signing",),
    "sources._decisions": ("Allow", "Deny"),
    "sources._registry": ("detect",),
    "sources.appsync": ("AppSyncEvent",),
    "sources.appsync_events": ("ChannelEvent",),
    "sources.authorizer": ("AuthorizerEvent", "ChannelAuthorizerEvent"),
    "sources.bedrock": ("BedrockEvent",),
    "sources.brokers": ("BrokerEvent", "DocumentDbEvent"),
    "sources.bus": ("BusEvent", "ScheduleEvent"),
    "sources.cloudformation": ("CloudFormationEvent",),
    "sources.cloudfront": ("CloudFrontEvent",),
    "sources.cognito": ("CognitoEvent",),
    "sources.firehose": ("TransformEvent", "Transformed"),
    "sources.http": ("HttpEvent",),
    "sources.invoke": ("InvokeEvent", "TaskEvent"),
    "sources.iot": ("IotAuthorizerEvent", "ProvisioningEvent"),
    "sources.kafka": ("KafkaEvent",),
    "sources.logs": ("LogsEvent",),
    "sources.notices": ("CodeCommitEvent", "SesEvent"),
    "sources.s3": ("ObjectEvent",),
    "sources.sns": ("TopicEvent",),
    "sources.sqs": ("QueueEvent",),
    "sources.streams": ("StreamEvent", "Window"),
    "sources.tool": ("ToolEvent",),
    "sources.transfer": ("TransferLoginEvent", "TransferUser"),
    "sources.websocket": ("SocketEvent",),
    "streaming": ("ServerSentEvent",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME), "__version__"]  # noqa: PLE0604


if not TYPE_CHECKING:  # which would take any name for one of this module

    def __getattr__(name: str) -> Any:
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
