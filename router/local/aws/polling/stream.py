"""Read a stream as Lambda's poller does: each shard in order, with retries, halved batches and a destination."""

from __future__ import annotations

import asyncio
import time
import zlib
from json import dumps
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from router.local.aws.polling.answers import LARGEST, cut, failed_ids, filter_of, weight
from router.local.aws.polling.records import filtered_kinesis, of_kinesis, of_table
from router.local.aws.resources import code_of, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.polling.calling import Surroundings
    from router.local.aws.shapes import MappingPlan
    from router.local.calls import Outcome

_BUSY_S, _IDLE_S = 0.05, 0.2  # between reads of a shard, while records come and while none do
_BUSY_FOR_S = 2.0
_SHARDS_S = 5.0  # between looks for new shards
_MOST = 1000  # records of one read
_FIRST_RETRY_S, _LAST_RETRY_S = 0.1, 5.0
_SERVICES = {"dynamodb": "dynamodbstreams", "kinesis": "kinesis"}


class Held:
    """Records of a shard that are not handled yet. size: in bytes. since: when the oldest one came."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.size = 0
        self.since = 0.0

    def add(self, fresh: list[dict[str, Any]]) -> None:
        """Take records that were read."""
        if not self.records:
            self.since = time.monotonic()
        self.records += fresh
        self.size += weight(fresh)

    def take(self, count: int) -> list[dict[str, Any]]:
        """Hand out the first records. The window of those that stay begins anew."""
        taken, self.records = self.records[:count], self.records[count:]
        self.size = weight(self.records)
        self.since = time.monotonic()
        return taken


class StreamPoller:
    """Reads one stream for one part, until it is cancelled.

    surroundings: of all mappings.
    mapping: what is read, and how.
    arn: of the stream.
    timeout: seconds that a call may take.
    function: the ARN of the function, as a destination is told.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        mapping: MappingPlan,
        *,
        arn: str,
        timeout: float,
        function: str,
    ) -> None:
        self._surroundings = surroundings
        self._mapping = mapping
        self._service = _SERVICES[mapping["source"]]
        self._arn = arn
        self._timeout = timeout
        self._function = function
        self._takes = filter_of(mapping["filters"])
        self._most = mapping["batch_size"] * mapping["parallel"]
        self._after: dict[str, str] = {}  # by shard, the sequence number of the last record that is done
        self._begins: dict[str, str] = {}  # by shard, where it is read from at first
        self._next = mapping["position"]
        self._finished: set[str] = set()

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            Exception: as the emulator answers, or does not.
        """
        reading: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for shard in await self._shards():
                    name, parent = shard["ShardId"], shard.get("ParentShardId")
                    waits = parent in reading and parent not in self._finished  # for the one that it was split from
                    if name in reading or name in self._finished or waits:
                        continue
                    reading[name] = asyncio.create_task(self._read(name, self._begins.setdefault(name, self._next)))
                self._next = "TRIM_HORIZON"  # nothing of a shard that comes now is older than the mapping
                if not reading:
                    await asyncio.sleep(_IDLE_S)
                    continue
                ended, others = await asyncio.wait(
                    reading.values(), timeout=_SHARDS_S, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in ended:
                    task.result()
                if not others:
                    await asyncio.sleep(_IDLE_S)
        finally:
            for task in reading.values():
                task.cancel()
            await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _ask(self, operation: str, **parameters: Any) -> Any:
        return await self._surroundings.ask(self._service, operation, **parameters)

    async def _shards(self) -> list[dict[str, Any]]:
        if self._service == "kinesis":
            answer = await self._ask("list_shards", StreamARN=self._arn)
        else:
            answer = (await self._ask("describe_stream", StreamArn=self._arn))["StreamDescription"]
        found: list[dict[str, Any]] = answer["Shards"]
        return found

    async def _iterator(self, shard: str, position: str) -> str:
        key = "StreamARN" if self._service == "kinesis" else "StreamArn"
        where = {key: self._arn, "ShardId": shard, "ShardIteratorType": position}
        if after := self._after.get(shard):
            number = "StartingSequenceNumber" if self._service == "kinesis" else "SequenceNumber"
            where |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", number: after}
        found: str = (await self._ask("get_shard_iterator", **where))["ShardIterator"]
        return found

    # ---- one shard ---------------------------------------------------------------------------------------------------

    async def _read(self, shard: str, position: str) -> None:
        """Read a shard to its end, which an open one does not have."""
        iterator: str | None = await self._iterator(shard, position)
        held, came = Held(), 0.0  # when the last record came
        while iterator is not None or held.records:
            if iterator is not None and len(held.records) < self._most:
                try:
                    answer = await self._ask("get_records", ShardIterator=iterator, Limit=_MOST)
                except Exception as error:
                    if code_of(error) == "ExpiredIteratorException":
                        held = Held()  # they are read again
                        iterator = await self._iterator(shard, position)
                    elif await self._is_gone(shard, error):
                        iterator = None
                    else:
                        raise
                    continue
                iterator = answer.get("NextShardIterator")
                if answer["Records"]:
                    came = time.monotonic()
                    held.add(self._taken([self._record(one, shard) for one in answer["Records"]]))
            if held.records and (iterator is None or self._is_due(held)):
                batch = held.take(self._size(held.records))
                await self._deliver(batch, shard)
                self._after[shard] = self._number(batch[-1])
                continue
            is_busy = held.records or time.monotonic() - came < _BUSY_FOR_S
            await asyncio.sleep(_BUSY_S if is_busy else _IDLE_S)
        self._finished.add(shard)

    async def _is_gone(self, shard: str, error: Exception) -> bool:
        """Whether an error is about a shard that was split, which MiniStack takes away with it."""
        missing = code_of(error) == "ResourceNotFoundException"
        return missing and all(one["ShardId"] != shard for one in await self._shards())

    def _is_due(self, held: Held) -> bool:
        """Whether a batch is full, or its window has passed."""
        is_full = len(held.records) >= self._most or held.size > LARGEST
        return is_full or time.monotonic() - held.since >= self._mapping["window"]

    def _size(self, held: list[dict[str, Any]]) -> int:
        """Return how many records are handled next: a batch, or one for each of the parallel ones."""
        return cut(held, self._most) if self._mapping["parallel"] == 1 else min(len(held), self._most)

    def _record(self, record: dict[str, Any], shard: str) -> dict[str, Any]:
        region = self._surroundings.region
        if self._service == "kinesis":
            return of_kinesis(record, shard, self._arn, region, self._surroundings.account)
        return self._surroundings.mark(self._mapping["resource"], of_table(record, self._arn, region))

    def _taken(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the records that filters take; the others are skipped."""
        takes = self._takes
        if takes is None:
            return records
        seen: Callable[[dict[str, Any]], Any] = filtered_kinesis if self._service == "kinesis" else dict
        return [record for record in records if takes(seen(record))]

    def _number(self, record: dict[str, Any]) -> str:
        number: str = (
            record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"]
        )
        return number

    def _key(self, record: dict[str, Any]) -> bytes:
        """Return the key by which records stay in order."""
        if "kinesis" in record:
            key: str = record["kinesis"]["partitionKey"]
            return key.encode()
        return dumps(record["dynamodb"].get("Keys"), sort_keys=True).encode()

    # ---- one batch ---------------------------------------------------------------------------------------------------

    async def _deliver(self, records: list[dict[str, Any]], shard: str) -> None:
        """Handle records, those of one key in order. It returns when all of them are done or given up.

        Lambda goes on in one lane while another waits; here all lanes wait for the slowest.
        """
        parallel = self._mapping["parallel"]
        if parallel == 1:
            await self._handle(records, shard)
            return
        lanes: dict[int, list[dict[str, Any]]] = {}
        for record in records:
            lanes.setdefault(zlib.crc32(self._key(record)) % parallel, []).append(record)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._handle_in_batches(lane, shard))

    async def _handle_in_batches(self, records: list[dict[str, Any]], shard: str) -> None:
        while records:
            size = cut(records, self._mapping["batch_size"])
            await self._handle(records[:size], shard)
            records = records[size:]

    async def _handle(self, records: list[dict[str, Any]], shard: str) -> None:
        """Call the function with a batch until all of it is done, or it is given up."""
        tries = 0
        while records:
            part = self._mapping["part"]
            outcome = await self._surroundings.invoke(part, records, self._timeout, attempt=tries + 1)
            left = self._left(records, outcome)
            if not left:
                return
            if len(left) < len(records):  # some were handled: what is left has not been tried often yet
                records, tries = left, 0
            elif self._mapping["bisect"] and len(records) > 1 and outcome.became != "answered":
                # Halving is no try of its own (AWS Lambda Developer Guide, "Bisect batch on function error").
                middle = len(records) // 2
                await self._handle(records[:middle], shard)
                records, tries = records[middle:], 0
                continue
            tries += 1
            if tries > self._mapping["attempts"]:
                await self._give_up(records, shard, tries)
                return
            await asyncio.sleep(min(_FIRST_RETRY_S * 2 ** (tries - 1), _LAST_RETRY_S))

    def _left(self, records: list[dict[str, Any]], outcome: Outcome) -> list[dict[str, Any]]:
        """Return the records that have to be tried again: all from the first that failed."""
        if outcome.became != "answered":
            return records
        numbers = [self._number(record) for record in records]
        failed = failed_ids(outcome.answer, set(numbers))
        if failed is None:
            return records
        first = next((place for place, number in enumerate(numbers) if number in failed), len(records))
        return records[first:]

    async def _give_up(self, records: list[dict[str, Any]], shard: str, tries: int) -> None:
        """Tell the queue of failed events of a batch that failed at every try. The records are not in it."""
        queue = self._mapping["failures"]
        if queue is None:
            return
        is_kinesis = self._service == "kinesis"
        times = [self._time(record) for record in (records[0], records[-1])]
        told = {
            "requestContext": {
                "requestId": str(uuid4()),
                "functionArn": self._function,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": tries,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": _iso(time.time()),
            "KinesisBatchInfo" if is_kinesis else "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": self._number(records[0]),
                "endSequenceNumber": self._number(records[-1]),
                "approximateArrivalOfFirstRecord": _iso(times[0]),
                "approximateArrivalOfLastRecord": _iso(times[1]),
                "batchSize": len(records),
                "streamArn": self._arn,
            },
        }
        url = url_of(self._surroundings.clients, queue)
        await self._surroundings.ask("sqs", "send_message", QueueUrl=url, MessageBody=dumps(told))

    def _time(self, record: dict[str, Any]) -> float:
        moment: float = (
            record["kinesis"]["approximateArrivalTimestamp"]
            if "kinesis" in record
            else record["dynamodb"]["ApproximateCreationDateTime"]
        )
        return moment


def _iso(moment: float) -> str:
    fraction = f"{moment % 1:.3f}"[1:]
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f"{fraction}Z"
