"""ARNs by service, in the form that CloudFormation fills in: `{}` stands for the name."""

from __future__ import annotations

BEGIN = "arn:${AWS::Partition}:"
HERE = ":${AWS::Region}:${AWS::AccountId}:"
ARNS = {
    "sqs": f"{BEGIN}sqs{HERE}{{}}",
    "sns": f"{BEGIN}sns{HERE}{{}}",
    "dynamodb": f"{BEGIN}dynamodb{HERE}table/{{}}",
    "s3": f"{BEGIN}s3:::{{}}",
    "events": f"{BEGIN}events{HERE}event-bus/{{}}",
    "kinesis": f"{BEGIN}kinesis{HERE}stream/{{}}",
    "firehose": f"{BEGIN}firehose{HERE}deliverystream/{{}}",
    "secretsmanager": f"{BEGIN}secretsmanager{HERE}secret:{{}}-??????",
    "ssm": f"{BEGIN}ssm{HERE}parameter/{{}}",
    "lambda": f"{BEGIN}lambda{HERE}function:{{}}",
    "states": f"{BEGIN}states{HERE}stateMachine:{{}}",
    "ecs": f"{BEGIN}ecs{HERE}task-definition/{{}}:*",
    "cognito-idp": f"{BEGIN}cognito-idp{HERE}userpool/{{}}",
    "kms": f"{BEGIN}kms{HERE}key/{{}}",
    "execute-api": f"{BEGIN}execute-api{HERE}{{}}/*/*/@connections/*",
    "bedrock": f"{BEGIN}bedrock:${{AWS::Region}}::foundation-model/{{}}",
    "logs": f"{BEGIN}logs{HERE}log-group:{{}}:*",
}
"""The ARN that most operations of a service reach."""

RULE = f"{BEGIN}events{HERE}rule/{{}}"
SCHEDULE = f"{BEGIN}scheduler{HERE}schedule/default/{{}}"

SERVICES = {
    "queue": "sqs",
    "topic": "sns",
    "table": "dynamodb",
    "bucket": "s3",
    "bus": "events",
    "stream": "kinesis",
    "secret": "secretsmanager",
    "task": "ecs",
    "websocket-api": "execute-api",
}
"""The service of each kind of resource whose name makes its ARN."""

NAMED_BY = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::IAM::Role": "RoleName",
    "AWS::ECS::TaskDefinition": "Family",
}
"""The property that holds the name, by the type of a resource."""


def made(form: str, name: str) -> str:
    """Return an ARN. form: one of those here."""
    return form.replace("{}", name)
