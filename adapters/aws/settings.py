"""`Settings`: everything the AWS adapters need to know of their surroundings. The one reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from adapters._core.blocking import checked_mode
from adapters._core.plain_http import is_public_http
from adapters.aws.roles import Role
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from router.durations import Duration

# Names of clients whose service has another name in AWS_ENDPOINT_URL_<SERVICE> (AWS SDKs reference, service-specific
# endpoints).
_SERVICE_IDS = {
    "events": "eventbridge",
    "secretsmanager": "secrets_manager",
    "stepfunctions": "sfn",
    "dynamodbstreams": "dynamodb_streams",
    "logs": "cloudwatch_logs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where AWS is, with which identity it is called, how often, and the names of topics and queues.

    Durations are seconds, or a timedelta.

    region, profile: as everywhere in AWS.
    account: saves a request where the account's number is needed.
    endpoint: one URL, or one for each service by name; None for AWS itself.
    plain_http: whether an endpoint may be `http://` on a host of the public network. Messages and sessions go there in
        clear text, and credentials can be used by whoever listens.
    access_key_id, secret_access_key, session_token: for tests and local servers. Without them (and without a profile)
        botocore's own chain finds the credentials of the function, task or machine, and renews them.
    roles: assumed one from the other, and renewed; ARNs or Role objects.
    attempts: tries of a call and of a refused message in a batch, the first included.
    backoff: the n-th wait is random between 0 and backoff * 2**n, 5 seconds at most.
    connect_timeout, read_timeout: for connecting, and for the next bytes of an answer.
    connections: kept open to each service.
    threads: how many calls of async code run at a time; more of them make an event loop wait longer for its turn.
    blocking: what a verb for sync code does in async code: "error" refuses it; "warn" lets it block the event loop, and
        the log says so.
    ca_bundle: a file of certificates to trust in place of the built-in ones. TLS is always checked.
    service, stage: for the templates of names.
    topics, queues: names of your own to an ARN, URL or AWS name.
    topic_name, queue_name: templates for every name that is in no map: "{service}-{stage}-{name}".
    topic_max_bytes, queue_max_bytes: the largest message, attributes included. SNS takes 256 KiB (1 MiB where the
        topic's MaximumMessageSize says so), SQS 1 MiB unless the queue says less.
    """

    region: str | None = None
    profile: str | None = None
    account: str | None = None
    endpoint: str | Mapping[str, str] | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    roles: Sequence[Role | str] = ()
    attempts: int = 3
    backoff: Duration = 0.1
    retry_mode: str = "standard"
    connect_timeout: Duration = 5
    read_timeout: Duration = 30
    connections: int = 32
    threads: int = 8
    blocking: str = "error"
    ca_bundle: str | None = None
    plain_http: bool = False
    service: str | None = None
    stage: str | None = None
    topics: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    topic_name: str = "{name}"
    queue_name: str = "{name}"
    topic_max_bytes: int = 262_144
    queue_max_bytes: int = 1_048_576

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "roles", self.chain)
        if self.endpoint is not None and not isinstance(self.endpoint, str):
            put(self, "endpoint", MappingProxyType(dict(self.endpoint)))
        for maps in ("topics", "queues"):
            put(self, maps, MappingProxyType(dict(getattr(self, maps))))
        for name, least in (("backoff", 0), ("connect_timeout", 0.001), ("read_timeout", 0.001)):
            put(self, name, seconds(getattr(self, name), f"Settings({name}=...)", least=least))
        self._check()

    def _check(self) -> None:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ConfigurationError("Settings: access_key_id and secret_access_key go together")
        if self.retry_mode not in ("standard", "adaptive", "legacy"):
            raise ConfigurationError(f"Settings(retry_mode={self.retry_mode!r}): use standard, adaptive or legacy")
        checked_mode(self.blocking, "Settings")
        self._check_endpoints()
        for name in ("attempts", "connections", "threads", "topic_max_bytes", "queue_max_bytes"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"Settings({name}={value!r}): give an integer from 1")
        for name in ("topic_name", "queue_name"):
            self._fill(name, "name")

    def _check_endpoints(self) -> None:
        if type(self.plain_http) is not bool:
            raise ConfigurationError(f"Settings(plain_http={self.plain_http!r:.80}): give True or False")
        held = self.endpoint.values() if isinstance(self.endpoint, Mapping) else (self.endpoint,)
        for url in () if self.plain_http else held:
            if isinstance(url, str) and is_public_http(url):
                raise ConfigurationError(
                    f"Settings(endpoint={url!r:.200}): messages and sessions would go there in clear text; write "
                    "https://, or plain_http=True"
                )

    def __hash__(self) -> int:
        return hash((self.region, self.profile, self.account, self.access_key_id, self.session_token, self.chain))

    def replace(self, **changes: Any) -> Settings:
        """Return a copy with some fields changed."""
        unknown = changes.keys() - {one.name for one in fields(self)}
        if unknown:
            raise ConfigurationError(f"Settings has no {', '.join(sorted(unknown))}")
        return replace(self, **changes)

    # ---- what follows from them --------------------------------------------------------------------------------

    @property
    def chain(self) -> tuple[Role, ...]:
        """The roles as such, in the order they are assumed."""
        roles = (self.roles,) if isinstance(self.roles, str | Role) else self.roles
        return tuple(role if isinstance(role, Role) else Role(role) for role in roles)

    def endpoint_of(self, service: str) -> str | None:
        """Return the URL of a service by its client's name (`sns`, `events`); None for AWS itself."""
        if self.endpoint is None or isinstance(self.endpoint, str):
            return self.endpoint
        return (
            self.endpoint.get(service)
            or self.endpoint.get(_SERVICE_IDS.get(service, service))
            or self.endpoint.get("*")
        )

    def topic(self, name: str) -> str:
        """Return what AWS calls a topic: an ARN or a name."""
        return self._aws_name(name, self.topics, "topic_name")

    def queue(self, name: str) -> str:
        """Return what AWS calls a queue: a URL, an ARN or a name."""
        return self._aws_name(name, self.queues, "queue_name")

    def _aws_name(self, name: str, known: Mapping[str, str], template: str) -> str:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"Settings: give the name of a topic or queue, not {name!r:.80}")
        if name in known:
            return known[name]
        if name.startswith(("arn:", "https://", "http://")):
            return name
        # A FIFO name ends in .fifo, whatever the template says.
        plain = name.removesuffix(".fifo")
        return self._fill(template, plain) + name[len(plain) :]

    def _fill(self, template: str, name: str) -> str:
        text: str = getattr(self, template)
        filled = text
        if "{name}" not in text:
            raise ConfigurationError(f"Settings({template}={text!r}): without {{name}} all would have one name")
        for key in ("service", "stage", "region"):
            if f"{{{key}}}" in text:
                value = getattr(self, key)
                if value is None:
                    raise ConfigurationError(f"Settings({template}={text!r}) needs {key}: give Settings({key}=...)")
                filled = filled.replace(f"{{{key}}}", value)
        filled = filled.replace("{name}", name)
        if "{" in filled or "}" in filled:
            raise ConfigurationError(
                f"Settings({template}={text!r}): use {{name}}, {{service}}, {{stage}} and {{region}} alone"
            )
        return filled

    # ---- from the environment ----------------------------------------------------------------------------------

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **changes: Any) -> Settings:
        """Settings from environment variables; keyword arguments win.

        As all of AWS's tools: AWS_REGION or AWS_DEFAULT_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>,
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, AWS_ACCOUNT_ID, AWS_MAX_ATTEMPTS, AWS_RETRY_MODE, AWS_CA_BUNDLE.
        Of this library: JUNCTION_SERVICE, JUNCTION_STAGE, JUNCTION_TOPIC_NAME, JUNCTION_QUEUE_NAME (templates),
        JUNCTION_TOPICS, JUNCTION_QUEUES (JSON objects), JUNCTION_ROLES (ARNs with commas between, or a JSON list of
        ARNs and objects with the fields of Role), JUNCTION_ATTEMPTS, JUNCTION_BACKOFF, JUNCTION_CONNECT_TIMEOUT,
        JUNCTION_READ_TIMEOUT, JUNCTION_CONNECTIONS, JUNCTION_THREADS, JUNCTION_TOPIC_MAX_BYTES,
        JUNCTION_QUEUE_MAX_BYTES and JUNCTION_PLAIN_HTTP (true). An empty variable counts as one that is not set.
        """
        from adapters.aws.environment import read

        return cls(**{**read(os.environ if environ is None else environ), **changes})
