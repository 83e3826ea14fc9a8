"""Runs in a fresh interpreter and prints one line of JSON: `python -I child.py <what> <root> <argument>`.

It imports next to nothing itself: what it imports, the measured code would get for nothing.
"""

import sys
from time import perf_counter


def cold(module: str) -> dict[str, object]:
    """Seconds of import and of the first answer of an HTTP candidate, once the runtime client is loaded."""
    import json

    import awslambdaric.bootstrap  # noqa: F401
    from awslambdaric.lambda_context import LambdaContext

    event = rest_payload()
    context = LambdaContext("c6af9ac6-7b61-11e6-9a41-93e8deadbeef", None, None, 4_102_444_800_000)
    started = perf_counter()
    __import__(module)
    imported = perf_counter()
    answer = sys.modules[module].handler(event, context)
    answered = perf_counter()
    if answer["statusCode"] != 200 or json.loads(answer["body"])["id"] != "42":
        raise SystemExit(f"{module} answered {answer}")
    return {"import": imported - started, "answer": answered - imported, "uncached": uncached()}


def importing(statement: str) -> dict[str, object]:
    """Seconds of one import statement in an interpreter that has loaded nothing else."""
    code = compile(statement, "<import>", "exec")
    started = perf_counter()
    exec(code, {})
    return {"import": perf_counter() - started, "answer": 0.0, "uncached": uncached()}


def modules(module: str) -> dict[str, object]:
    """Names of the modules that orjson, then the library, then an application's first answer to a REST request load."""
    stages: dict[str, object] = {}
    seen = set(sys.modules)
    for stage in ("import orjson", "import router", "from router import Event, Resolver, Session"):
        exec(stage, {})
        stages[stage], seen = sorted(set(sys.modules) - seen), set(sys.modules)
    event = rest_payload()
    seen = {*sys.modules, module}
    __import__(module)
    sys.modules[module].handler(event, None)
    stages["answer"] = sorted(set(sys.modules) - seen)
    return stages


def rest_payload() -> dict[str, object]:
    """The request, read with what the runtime client has loaded already; `payloads` would load more."""
    import json

    from tests.benchmarks import apps

    with open(f"{apps.__path__[0]}/../rest.json") as file:
        payload: dict[str, object] = json.load(file)
    return payload


def uncached() -> list[str]:
    """Loaded source modules that have no bytecode file: with one of them the figure would be that of a compiler."""
    from os.path import exists

    cached = {name: getattr(module, "__cached__", None) for name, module in sys.modules.items() if name != "__main__"}
    return [name for name, path in cached.items() if path and not exists(path)]


if __name__ == "__main__":
    what, root, argument = sys.argv[1:]
    sys.path.insert(0, root)
    result = {"cold": cold, "importing": importing, "modules": modules}[what](argument)
    import json

    print(json.dumps(result))
