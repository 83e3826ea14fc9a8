"""An adapter costs a cold start little until it is used: no library of the outside world is imported before that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    *("boto3", "botocore", "httpx", "aws_lambda_powertools", "asyncio", "pydantic", "concurrent.futures", "ssl"),
    *("pymongo", "motor", "bson", "gridfs", "redis"),
)


@pytest.mark.parametrize(
    "line",
    [
        "from adapters.alerts import Alerts; Alerts(topic='alerts')",
        "from adapters.bedrock import Bedrock; Bedrock(model='m')",
        "from adapters.cognito import AppClient, UserPool; UserPool(pool='eu-west-1_A'), AppClient(client_id='a')",
        "from adapters.ecs import Ecs; Ecs(subnets=['s'])",
        "from adapters.eventbridge import Bus; Bus(source='orders')",
        "from adapters.http import Services; Services({'billing': 'https://billing'})",
        "from adapters.lambda_invoke import Invoker; Invoker()",
        "import adapters.environment as e; e.ParameterStore(), e.SecretStore(), e.UseTable()",
        "import adapters.environment as e, router as r; r.Resolver(requires={'PATH': []}).load_environment()",
        "from adapters.parameters import Parameters; Parameters()",
        "import adapters.mongo",
        "import adapters.mongo as m; m.Repository(m.Mongo(), 'orders', indexes=[m.Index('a')], stamps=True)",
        "import adapters.mongo as m; m.Repository(m.Mongo('mongodb://db'), 'a', database='b').find({'c': m.gt(5)})",
        "import adapters.mongo as m, adapters.tokens as t; t.Tokens(t.MongoTokenStore(m.Mongo()))",
        "import adapters.tokens as t; t.Tokens(t.DynamoDBTokenStore())",
        "import adapters.redis as r; r.RedisStore(r.Redis('redis://c')); r.RedisBuckets(r.Redis(cluster=True))",
        "from adapters.s3 import S3; S3(bucket='invoices')",
        "from adapters.stepfunctions import StepFunctions; StepFunctions()",
        "from adapters.usage import UsageTable; UsageTable()",
    ],
)
def test_nothing_heavy_is_imported_before_the_first_call(line):
    code = f"{line}\nimport json, sys; print(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == []
