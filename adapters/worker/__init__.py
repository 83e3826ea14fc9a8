"""The worker: runs `@on_queue` routes outside of Lambda, by long polling, under the delivery rules of Lambda.

    worker = Worker(["orders"], concurrency=4)
    sys.exit(worker.run(resolver))                            # until SIGTERM or SIGINT

`junction worker package.module:resolver orders` does the same. Each batch goes through `resolver.resolve` in
the payload that Lambda would deliver, so what `batchItemFailures` names is not deleted and comes again.
The role needs `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility` and `sqs:GetQueueUrl`.
"""

from __future__ import annotations

from adapters.worker.report import Report
from adapters.worker.worker import Worker

__all__ = ["Report", "Worker"]
