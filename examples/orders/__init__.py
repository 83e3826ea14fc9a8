"""Orders, from the request to the message on the customer's screen: one function, every trigger.

    POST /orders -> topic "order-events" -> queue "orders" -> table "orders" -> its stream -> WebSocket clients

`app.py` is the application. `python -m examples.orders` runs the whole chain on a local AWS and checks every step.
"""
