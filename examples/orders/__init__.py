"""Orders, from the request to the message on the customer's screen: one function, every trigger.

    POST /orders -> topic "order-events" -> queue "orders" -> table "orders" -> its stream -> WebSocket clients

Around it: price lists uploaded to a bucket, payments on a partner's event bus, a nightly schedule, an ECS task.
`app.py` is the application. `python -m examples.orders` runs the whole chain on a local AWS and checks every step.
"""
