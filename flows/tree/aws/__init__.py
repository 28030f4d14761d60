"""Task trees on Amazon's services: instances in DynamoDB, tasks over SQS. It needs the extra `aws`."""

from __future__ import annotations

from flows.tree.aws.client import AwsCredentials
from flows.tree.aws.dynamo_storage import DynamoStorage
from flows.tree.aws.sqs_backend import SqsBackend
from flows.tree.aws.sqs_worker import SqsWorker

__all__ = ["AwsCredentials", "DynamoStorage", "SqsBackend", "SqsWorker"]
