"""Event source mappings: what Lambda's pollers do with queues and streams, by the public API of the emulator alone.

MiniStack has mappings of its own. Those of 1.5.33 lose deliveries, or hold them back:

- A queue: a thread that takes messages out puts a new list in the place of the old one, while the server appends to
  that; a message that is sent at this moment is lost. Windows are ignored, all groups of a FIFO queue wait for one
  call, and a filter with an operator that is not known there (`equals-ignore-case`, `$or`) deletes what it should
  deliver.
- A stream: `batchItemFailures` are ignored, so records that failed are never tried again. Tries have no limit, batches
  are not halved, nothing tells a destination, and one slow handler stops all queues and streams.

With these, every emulator that has the API behaves alike.
"""
