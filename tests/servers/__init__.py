"""The real servers that the tests start by themselves, each a class that is also a context manager.

`RuntimeApi` and `LambdaProcess` need nothing but Python, `MotoServer` neither; `ElasticMQ`, `FerretDB` and
`MiniStack` are fetched or built once by `python -m tests.servers.fetch`. `tests.servers.fixtures` holds the pytest
fixtures. All of them listen on 127.0.0.1 alone, on a port that was free.
"""
