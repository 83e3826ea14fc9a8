"""`Aws`: the clients of one identity, made when first needed, and the threads in which async code calls them."""

from __future__ import annotations

import os
import threading
import time
from functools import partial

from adapters._core.blocking import refuse_blocking
from adapters._core.steps import BlockingCall, Wait, run, run_async
from adapters.aws.botocore_errors import translate
from adapters.aws.roles import Role
from adapters.aws.settings import Settings
from adapters.errors import CredentialsMissing
from router.errors import ConfigurationError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ParamSpec, TypeVar

    from adapters._core.steps import Steps
    from adapters.aws.pools import CallPools
    from router.durations import Duration

    T = TypeVar("T")
    P = ParamSpec("P")

# What names the resource in a request, for messages; the first that is there counts.
_RESOURCES = (
    *("TopicArn", "QueueUrl", "QueueName", "TableName", "FunctionName", "Bucket", "SecretId", "Name", "Names"),
    *("RoleArn", "stateMachineArn", "executionArn", "taskDefinition", "cluster", "ConnectionId", "EventBusName"),
)
_ROLES_KEPT = 256


class _ProcessState:
    """State that must not be shared over a fork: connections, threads and locks."""

    __slots__ = ("account", "boto3", "clients", "lock", "pid", "pools", "session")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.session: Any = None
        self.boto3: Any = None
        self.clients: dict[Any, Any] = {}
        self.account: str | None = None
        self.pools: CallPools | None = None


class Aws:
    """One identity in AWS. Every client of it has the same credentials, and no other `Aws` shares them.

    settings: from the environment when none are given. clients: by service name, used in place of botocore's own.
    sleep: what waits between the tries of sync code.
    Safe to use from several threads and after a fork, and from any number of event loops.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clients: Mapping[str, Any] | None = None,
        sleep: Callable[[float], object] = time.sleep,
        _parent: Aws | None = None,
    ) -> None:
        self.settings = Settings.from_env() if settings is None else settings
        self.sleep = sleep
        self._own_clients = dict(clients or {})
        self._parent = _parent
        self._state = _ProcessState()
        self._assumed: dict[Role, Aws] = {}
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        """Close the connections; the clients stay, as making one takes long, and read their credentials by the time."""
        if forked:
            self._process()
            return
        failure: Exception | None = None
        for client in (*self._state.clients.values(), *self._own_clients.values()):
            try:
                if hasattr(client, "close"):
                    client.close()
            except Exception as error:  # the others are closed all the same
                failure = error
        if failure is not None:
            raise failure  # the caller tells the log

    def __repr__(self) -> str:
        return f"Aws({self.settings!r})"

    @property
    def _blocking(self) -> str:
        return self.settings.blocking

    # ---- calls -------------------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, /, *, resource: str = "", **parameters: Any) -> Any:
        """Call an operation by its botocore name: `aws.call("sqs", "get_queue_url", QueueName="orders")`.

        resource: how errors name what was called; by default what the parameters name. Raises AdapterError.
        """
        refuse_blocking(self, "call")
        return self._call(service, operation, resource, None, parameters)

    async def call_async(self, service: str, operation: str, /, *, resource: str = "", **parameters: Any) -> Any:
        """`call` from async code, without blocking its loop."""
        return await self.in_thread(self._call, service, operation, resource, None, parameters)

    def step(
        self,
        service: str,
        operation: str,
        /,
        *,
        resource: str = "",
        region: str | None = None,
        long: bool = False,
        parameters: Mapping[str, Any],
    ) -> BlockingCall:
        """Return the call as a step, for code that serves a verb and its async twin. long: it waits on purpose."""
        return BlockingCall(self._call, service, operation, resource, region, parameters, long=long)

    def _call(
        self, service: str, operation: str, resource: str, region: str | None, parameters: Mapping[str, Any]
    ) -> Any:
        try:
            return getattr(self.client(service, region), operation)(**parameters)
        except Exception as error:
            typed = translate(error, service, operation, resource or _resource_in(parameters))
            if typed is error:
                raise
        # Out of the except block: the original, whose text may quote what was sent, is not even the context.
        raise typed

    # ---- clients -----------------------------------------------------------------------------------------------

    def client(
        self,
        service: str,
        region: str | None = None,
        *,
        read_timeout: Duration | None = None,
        attempts: int | None = None,
    ) -> Any:
        """Return the botocore client of a service, made once.

        region, read_timeout, attempts: other than the settings say.
        """
        own = self._own_clients.get(service)
        if own is not None:
            return own
        state = self._process()
        key = (service, region, read_timeout, attempts)
        client = state.clients.get(key)
        if client is None:
            from adapters.aws.credentials import client_options

            with state.lock:  # botocore's sessions make one client at a time
                client = state.clients.get(key)
                if client is None:
                    core = self._botocore(state)
                    options = client_options(
                        self.settings, service, region, read_timeout=read_timeout, attempts=attempts
                    )
                    client = state.clients[key] = core.create_client(service, **options)
        return client

    @property
    def session(self) -> Any:
        """A boto3 Session with this identity, for what botocore's clients lack (resources, S3 transfers)."""
        from boto3.session import Session

        state = self._process()
        with state.lock:
            if state.boto3 is None:  # one a process: each would register its additions to S3 clients once more
                state.boto3 = Session(botocore_session=self._botocore(state))
            return state.boto3

    @property
    def region(self) -> str:
        """The region of the settings, else of the profile. Raises ConfigurationError when there is none."""
        region = self.settings.region
        if region is None:
            state = self._process()
            with state.lock:
                region = self._botocore(state).get_config_variable("region")
        if not region:
            raise ConfigurationError("AWS: no region: set AWS_REGION, or give Settings(region=...)")
        return str(region)

    def account(self) -> str:
        """Return the number of the account: from the settings, else from the role, else asked of STS once."""
        if self.settings.account is not None:
            return self.settings.account
        if self.settings.chain:
            return self.settings.chain[-1].arn.split(":")[4]
        state = self._process()
        if state.account is None:
            answer = self.call("sts", "get_caller_identity", resource="the account's number")
            state.account = str(answer["Account"])
        return state.account

    def assume(self, role: Role | str) -> Aws:
        """Return the `Aws` of a role, assumed with this identity and renewed; the same object for the same role.

        Roles with tags or a policy of their own, such as one a tenant, are different roles.
        """
        role = role if isinstance(role, Role) else Role(role)
        with self._process().lock:
            known = self._assumed.pop(role, None)
            if known is None:
                # The new one's role stands alone in its settings: it starts from this identity's credentials.
                known = Aws(self.settings.replace(roles=(role,), account=None), sleep=self.sleep, _parent=self)
            self._assumed[role] = known  # the last one used is the last in order
            while len(self._assumed) > _ROLES_KEPT:
                del self._assumed[next(iter(self._assumed))]
            return known

    def _process(self) -> _ProcessState:
        state = self._state
        if state.pid != os.getpid():
            state = self._state = _ProcessState()
        return state

    def _botocore(self, state: _ProcessState) -> Any:
        """Return the botocore session; the caller holds the lock."""
        if state.session is None:
            from adapters.aws.credentials import botocore_session

            parent = None
            if self._parent is not None:
                above = self._parent._process()
                with above.lock:
                    parent = self._parent._botocore(above)
            state.session = botocore_session(self.settings, state.lock, parent)
        return state.session

    def credentials(self) -> Any:
        """botocore's credentials of this identity, which renew themselves."""
        state = self._process()
        with state.lock:
            credentials = self._botocore(state).get_credentials()
        if credentials is None:
            raise CredentialsMissing("AWS: no credentials; give the function or task a role, or Settings keys")
        return credentials

    # ---- steps -------------------------------------------------------------------------------------------------

    def run(self, steps: Steps[T]) -> T:
        """Take the steps of a verb in this thread."""
        return run(steps, self._perform)

    def _perform(self, step: BlockingCall | Wait) -> Any:
        return self.sleep(step.seconds) if isinstance(step, Wait) else step.function()

    async def run_async(self, steps: Steps[T]) -> T:
        """Take the steps of a verb from async code, without blocking its loop."""
        pools = self._pools()
        async with pools.turn() as turn:
            return await run_async(steps, partial(pools.perform, turn))

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await a blocking function in a thread of this object, `Settings.threads` at a time, context included."""
        pools = self._pools()
        async with pools.turn():
            result: T = await pools.submit(BlockingCall(partial(function, *args, **kwargs)))
        return result

    def _pools(self) -> CallPools:
        """Return the pools of threads of this process, which an identity shares with those that it assumes."""
        if self._parent is not None:
            return self._parent._pools()
        state = self._process()
        if state.pools is None:
            from adapters.aws.pools import CallPools

            with state.lock:
                state.pools = state.pools or CallPools(self.settings.threads)
        return state.pools

    def close(self) -> None:
        """End the threads and close the connections; a later call makes new ones."""
        state, self._state = self._process(), _ProcessState()
        if state.pools is not None:
            state.pools.close()
        for client in state.clients.values():
            client.close()
        for assumed in self._assumed.values():
            assumed.close()


def _resource_in(parameters: Mapping[str, Any]) -> str:
    named = next((parameters[name] for name in _RESOURCES if name in parameters), "")
    return ", ".join(map(str, named)) if isinstance(named, list | tuple) else str(named)


_defaults: dict[Settings, Aws] = {}


def default_aws() -> Aws:
    """Return the `Aws` of the environment: one for the same variables, another when they say something else."""
    settings = Settings.from_env()
    aws = _defaults.get(settings)
    return _defaults.setdefault(settings, Aws(settings)) if aws is None else aws  # no lock that a fork could leave held
