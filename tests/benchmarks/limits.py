"""The budgets of the design in one table. Ratios, except where a name says otherwise."""

from __future__ import annotations

# Import, one GET route and the first answer, on top of the runtime client.
COLD_PATH_OF_POWERTOOLS = 0.22
COLD_PATH_OF_HANDWRITTEN = 1.35
COLD_PATH_WITHOUT_BYTECODE_OF_POWERTOOLS = 0.25

# Beside `import orjson`.
IMPORT_ROUTER = 0.05
IMPORT_NAMES = 1.3
ROUTE_AT_IMPORT_S = 20e-6

GET_OF_HANDWRITTEN = 2.75
GET_FASTER_THAN_POWERTOOLS = 7
POST_FASTER_THAN_POWERTOOLS = 3
POST_FASTER_THAN_FASTAPI = 8
GROWTH_WITH_ROUTES = 1.05

SQS_OF_BATCH_PROCESSOR = 0.75
SQS_WITH_SESSION_OF_BATCH_PROCESSOR = 0.95
SQS_ASYNC_FASTER = 2.5
SQS_ASYNC_WAITING_FASTER = 1.3
# Beside messages whose bodies are Base64, too: what the order of partitions costs.
KAFKA_OF_SQS = 1.1

# A plain route of a durable function, beside the same route outside: the envelope is read, and the answer put into it.
PLAIN_IN_DURABLE_OF_PLAIN = 1.3

# A record that is done once, on the same DynamoDB.
IDEMPOTENT_OF_POWERTOOLS = 1.1

# Guards beside what they are made of.
TOKEN_OF_PYJWT = 1.1
SCHEMA_OF_VALIDATOR = 1.2
# The OpenAPI document of 500 routes, beside a GET with a dict as answer.
DOCUMENT_OF_GET = 1.2
# A call of the Model Context Protocol, beside the same route over HTTP.
TOOL_CALL_OF_ROUTE = 1.5
# Beside a copy of the library without them.
UNUSED_GUARDS = 1.02

# Beside the bare dispatch.
FIRST_MIDDLEWARE = 0.6
FURTHER_MIDDLEWARE = 0.2

# Beside the same application in the Logger's own decorator.
LINE_OF_INJECT_CONTEXT = 1.3

# Beside the same spans, made by hand.
TRACES_OF_HANDWRITTEN = 1.5

# Numbers on the stack at a handler with one middleware.
FRAMES = 7
FILES = 5

# Resident memory after the first answer, beside bare Python.
MEMORY_OF_PYTHON = 1.4

# A cold start that reads one item of a table, beside one with a client of boto3.
COLD_READ_OF_BOTO3 = 1

# Seconds for an application of 500 routes.
EXPORT_S = 1.0
CHECK_S = 2.0

# One function of twelve, beside an application that has only its group.
SPLIT_START_OF_ALONE = 1.1
