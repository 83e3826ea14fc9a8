"""Runs in a fresh interpreter and prints one line of JSON: `python -I child.py <what> <root> <argument>`.

It imports next to nothing itself: what it imports, the measured code would get for nothing. Seconds are of processor
time, so that what else runs on the machine is not counted.
"""

import sys
from time import perf_counter, process_time

ROUTES = 100


def cold(module: str) -> dict[str, object]:
    """Seconds of import and of the first answer of an HTTP candidate, once the runtime client is loaded."""
    import json

    import awslambdaric.bootstrap  # noqa: F401
    from awslambdaric.lambda_context import LambdaContext

    event = rest_payload()
    context = LambdaContext("c6af9ac6-7b61-11e6-9a41-93e8deadbeef", None, None, 4_102_444_800_000)
    began = perf_counter()
    started = process_time()
    __import__(module)
    imported = process_time()
    answer = sys.modules[module].handler(event, context)
    answered = process_time()
    elapsed = perf_counter() - began
    if answer["statusCode"] != 200 or json.loads(answer["body"])["id"] != "42":
        raise SystemExit(f"{module} answered {answer}")
    return {"import": imported - started, "answer": answered - imported, "elapsed": elapsed, **bytecode()}


def importing(statement: str) -> dict[str, object]:
    """Seconds of one import statement in an interpreter that has loaded nothing else."""
    code = compile(statement, "<import>", "exec")
    started = process_time()
    exec(code, {})
    return {"import": process_time() - started, **bytecode()}


def registering(module: str) -> dict[str, object]:
    """Seconds a route, of 100 routes that an application registers when it is imported."""
    event = rest_payload()
    build = __import__(module, fromlist=["build"]).build
    started = process_time()
    handler = build(routes=ROUTES)
    taken = process_time() - started
    if (answer := handler(event, None))["statusCode"] != 200:
        raise SystemExit(f"{module} answered {answer}")
    return {"route": taken / ROUTES, **bytecode()}


def memory(names: str) -> dict[str, object]:
    """Bytes in memory once modules are imported and those of them that are applications have answered a request."""
    import marshal
    from os import environ

    with open(environ["BENCHMARK_PAYLOAD"], "rb") as file:
        event = marshal.load(file)
    for name in names.split():
        module = __import__(name, fromlist=["handler"])
        if name.startswith("tests.") and (answer := module.handler(event, None))["statusCode"] != 200:
            raise SystemExit(f"{name} answered {answer}")
    with open("/proc/self/smaps_rollup", "rb") as file:
        held = [line.split() for line in file.readlines()[1:]]
    sizes = {words[0].decode(): int(words[1]) * 1024 for words in held}
    private = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    return {"resident": sizes["Rss:"], "private": private, **bytecode()}


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


def bytecode() -> dict[str, list[str]]:
    """Files of the loaded source modules: those whose byte code was there before, and those that were compiled now."""
    from os.path import exists

    found: dict[str, list[str]] = {"compiled": [], "uncompiled": []}
    for name, module in sys.modules.items():
        path = getattr(module, "__cached__", None)
        if path and name != "__main__":
            found["compiled" if exists(path) else "uncompiled"].append(str(module.__file__))
    return found


MEASURES = {"cold": cold, "importing": importing, "registering": registering, "memory": memory, "modules": modules}

if __name__ == "__main__":
    what, root, argument = sys.argv[1:]
    sys.path.insert(0, root)
    result = MEASURES[what](argument)
    import json

    print(json.dumps(result))
