"""Task trees on Amazon's services: instances in DynamoDB. It needs the extra `aws`."""

from __future__ import annotations

from flows.tree.aws.client import AwsCredentials
from flows.tree.aws.dynamo_storage import DynamoStorage

__all__ = ["AwsCredentials", "DynamoStorage"]
