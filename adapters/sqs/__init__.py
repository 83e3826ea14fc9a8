"""SQS: send, receive, delete and delay messages, with the session attached.

    sqs = Sqs()                                               # region, credentials, names: from the environment
    sqs.send("orders", {"id": 1}, delay=30)
    await sqs.send_many_async("orders", [{"id": 2}, Message({"id": 3}, delay=60)])
    resolver = Resolver(delay=sqs.delay)                      # makes Retry(after=...) wait

Every verb has an `_async` twin. Queues may be encrypted: with a KMS key of your own the sender's role needs
`kms:GenerateDataKey` and `kms:Decrypt` on it, the receiver's `kms:Decrypt`. Everything travels over TLS.
"""

from __future__ import annotations

from adapters._core.message import Message
from adapters._core.sender import Sent
from adapters.sqs.receive import Sqs

__all__ = ["Message", "Sent", "Sqs"]
