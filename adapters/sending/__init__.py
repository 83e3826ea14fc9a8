"""What SNS and SQS have in common: messages, attributes, batches, retries and limits."""
