"""Event source mappings: what Lambda's pollers do with queues and streams, by the public API of the emulator alone.

MiniStack has mappings of its own. Measured with 1.5.33:

- Of a stream, `batchItemFailures` are ignored: records that failed are never tried again. Tries have no limit, batches
  are not halved, and nothing tells a destination. A handler of a stream that takes 5 s holds all queues for as long.
- Of a queue, a filter with an operator that is not known there (`equals-ignore-case`, `$or`) deletes what it should
  deliver, and so does an answer that names no message of the batch. Windows are ignored, and all groups of a FIFO queue
  wait for one call. Messages are taken out by a thread that puts a new list in the place of the one to which the server
  appends: one that is sent in that moment would be lost. (12,000 under load did not meet it.)

With these, every emulator that has the API behaves alike.
"""
