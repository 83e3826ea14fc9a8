"""AWS itself: where it is, and with which identity it is called. Every adapter of AWS calls through an `Aws`.

    from adapters.aws import Aws, Role, Settings

    aws = Aws(Settings(region="eu-west-1", roles=[Role("arn:aws:iam::123456789012:role/publisher")]))
    aws.call("sns", "publish", TopicArn=..., Message=...)
    await aws.call_async("sns", "publish", TopicArn=..., Message=...)

Needs the extra `aws`: `pip install "lambda-junction[aws]"`. botocore is imported at the first call.
"""

from __future__ import annotations

from adapters.aws.aws import Aws, default_aws
from adapters.aws.roles import Role
from adapters.aws.settings import Settings

__all__ = ["Aws", "Role", "Settings", "default_aws"]
