"""A program of CDK: `cdk synth --app "python -m examples.cdk.app"`. Alarms of the orders example mail somebody."""

from __future__ import annotations

import os

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk.aws_sns_subscriptions import EmailSubscription

from examples.cdk.junction import Junction
from examples.orders.stack import stack as orders


class OrdersStack(cdk.Stack):
    """The orders example, and a topic that its alarms tell."""

    def __init__(self, scope: cdk.App, name: str, *, code: str, mail: str) -> None:
        super().__init__(scope, name)
        junction = Junction(self, "Junction", orders, code=code)
        alarms = sns.Topic(self, "Alarms")
        alarms.add_subscription(EmailSubscription(mail))
        for alarm in junction.of_type("AWS::CloudWatch::Alarm"):
            alarm.add_property_override("AlarmActions", [alarms.topic_arn])


app = cdk.App()
OrdersStack(app, "orders", code=os.environ.get("CODE", "build"), mail="on-call@example.com")
app.synth()
