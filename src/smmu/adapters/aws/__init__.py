"""AWS: S3, DynamoDB, SQS, Step Functions and ECS behind the same ports.

Each module's header lists the IAM actions it uses, how it lays out what it stores, and what it costs per job.
"""
