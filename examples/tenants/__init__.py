"""Notes of several tenants, each with a database of its own in MongoDB, for users with bearer tokens.

`app.py` puts it together; start there. `storage.py` says what is kept and where. `python -m examples.tenants` shows it
on the MongoDB of `MONGODB_URI`.
"""
