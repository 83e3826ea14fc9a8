"""A stack of CDK made from what the routes of `examples/orders` say."""
