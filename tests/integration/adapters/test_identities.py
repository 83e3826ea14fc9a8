"""Who calls: two identities in one process, chains of roles, renewal, and a role for each tenant."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from adapters.aws import Aws, Role
from adapters.sns import Sns
from adapters.sqs import Sqs
from tests.integration.adapters.places import aws_of, settings_of
from tests.servers.moto import MotoServer

FIRST = "arn:aws:iam::111111111111:role/first"
SECOND = "arn:aws:iam::222222222222:role/second"


def who(aws: Aws) -> str:
    return str(aws.call("sts", "get_caller_identity")["Arn"])


def test_two_identities_in_one_process_never_mix(moto: MotoServer):
    own = aws_of(moto)
    first, second = own.assume(FIRST), Aws(settings_of(moto, roles=[SECOND]))
    for aws in (own, first, second):
        aws.call("sqs", "create_queue", QueueName="orders")
        aws.call("sns", "create_topic", Name="events")

    def send(number: int) -> None:
        Sqs((own, first, second)[number % 3]).send("orders", str(number % 3))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(send, range(30)))

    async def from_async_code() -> None:
        await asyncio.gather(*[Sqs(aws).send_async("orders", str(n)) for n, aws in enumerate((own, first, second))])

    asyncio.run(from_async_code())
    for number, (aws, account) in enumerate(
        zip((own, first, second), ("123456789012", "1" * 12, "2" * 12), strict=True)
    ):
        sqs, bodies = Sqs(aws), []
        while records := sqs.receive("orders", wait=0):
            assert {record["eventSourceARN"] for record in records} == {f"arn:aws:sqs:eu-west-1:{account}:orders"}
            bodies += [record["body"] for record in records]
            sqs.delete_many("orders", records)
        assert bodies == [str(number)] * 11
        assert aws.account() == account
        Sns(aws).publish("events", "x")


def test_a_chain_ends_in_the_last_role(moto: MotoServer):
    chain = [FIRST, Role(SECOND, session_name="nightly", external_id="partner", tags={"tenant": "acme"})]
    assert who(aws_of(moto, roles=chain)).endswith("222222222222:assumed-role/second/nightly")
    assert who(aws_of(moto)).startswith("arn:aws:sts::123456789012:user/")


def test_a_role_assumed_from_a_role_is_a_chain_too(moto: MotoServer):
    aws = aws_of(moto, roles=[FIRST]).assume(SECOND)
    assert who(aws).endswith("222222222222:assumed-role/second/junction")
    assert who(aws.assume(FIRST)).endswith("111111111111:assumed-role/first/junction")


def test_nothing_is_assumed_before_it_is_needed_and_then_it_is_renewed(moto: MotoServer):
    # botocore renews in the last quarter of an hour: credentials that live so long are renewed at every look.
    short = aws_of(moto, roles=[Role(FIRST, duration=900)])
    long = aws_of(moto, roles=[Role(FIRST, duration=3600)])
    for aws, renewed in ((short, True), (long, False)):
        assert who(aws).endswith("assumed-role/first/junction")
        key = aws.credentials().get_frozen_credentials().access_key
        assert (aws.credentials().get_frozen_credentials().access_key != key) is renewed
        assert who(aws).endswith("assumed-role/first/junction")


def test_tenants_with_a_role_each_share_the_threads(moto: MotoServer):
    aws = aws_of(moto, threads=2)
    tenants = [aws.assume(Role(FIRST, session_name=f"tenant-{n}", tags={"tenant": str(n)})) for n in range(5)]

    async def all_of_them() -> list[str]:
        answers = await asyncio.gather(*[one.call_async("sts", "get_caller_identity") for one in tenants])
        return [answer["Arn"].rpartition("/")[2] for answer in answers]

    assert asyncio.run(all_of_them()) == [f"tenant-{n}" for n in range(5)]
    assert all(one._pools() is aws._pools() for one in tenants)
