"""What AWS says for some seconds of what was just created, or just removed: the words of each call, at their places."""

from __future__ import annotations

TIMEOUT = 'Read timeout on endpoint URL: "https://ec2.us-east-1.amazonaws.com/"'
NO_ROLE = "(NoSuchEntity) when calling X: The role with name X cannot be found."
NO_PROFILE = "(NoSuchEntity) when calling X: Instance Profile X cannot be found."
NO_BUCKET = "(NoSuchBucket) when calling X: The specified bucket does not exist"
NO_QUEUE = "(AWS.SimpleQueueService.NonExistentQueue) when calling X: The specified queue does not exist."
NO_DEAD_QUEUE = (
    "(InvalidParameterValue) when calling X: Value for RedrivePolicy is invalid. Dead letter target does not exist."
)
DELETED = "(AWS.SimpleQueueService.QueueDeletedRecently) when calling X: You must wait 60 seconds after deleting it"
ABORTED = "(OperationAborted) when calling X: A conflicting conditional operation is currently in progress"
NO_GROUP = "(InvalidGroup.NotFound) when calling X: The security group 'sg-1' does not exist"
NO_KEY = "(InvalidKeyPair.NotFound) when calling X: The key pair 'lab3-key' does not exist"
INVALID_PROFILE = "(InvalidParameterValue) when calling X: Value (X) is invalid. Invalid IAM Instance Profile name"
NO_INSTANCE = "Waiter InstanceRunning failed: (InvalidInstanceID.NotFound) The instance ID 'i-1' does not exist"
CONTENTION = "(ResourceContention) when calling X: You already have a pending update to an Auto Scaling resource"
SCALING = "(ScalingActivityInProgress) when calling X: Activity is in progress"
IN_USE = "(ResourceInUse) when calling X: You cannot delete an AutoScalingGroup while there are instances"
TEMPLATE = "(ValidationError) when calling X: You must use a valid launch template. Invalid IAM Instance Profile name"
NO_TEMPLATE = "(ValidationError) when calling X: The specified launch template, with template name X, does not exist."
STILL_A_ROLE = "(EntityAlreadyExists) when calling X: Role with name X already exists."
BUSY = "(ServiceUnavailable) when calling X: Service is unable to handle request."

#: The lags of an `up` that launches an instance, at the place of each.
LAGS = [
    ("iam create-role", STILL_A_ROLE),
    ("iam put-role-policy", NO_ROLE),
    ("iam add-role-to-instance-profile", NO_PROFILE),
    ("iam add-role-to-instance-profile", NO_ROLE),
    ("iam create-policy", TIMEOUT),
    ("s3api create-bucket", ABORTED),
    ("s3api put-bucket-tagging", NO_BUCKET),
    ("s3api put-bucket-tagging", ABORTED),
    ("s3api put-public-access-block", NO_BUCKET),
    ("s3api put-bucket-encryption", NO_BUCKET),
    ("s3api put-bucket-lifecycle-configuration", NO_BUCKET),
    ("s3api put-object", NO_BUCKET),
    ("sqs create-queue", DELETED),
    ("sqs set-queue-attributes", NO_QUEUE),
    ("sqs set-queue-attributes", NO_DEAD_QUEUE),
    ("sqs list-queues", BUSY),
    ("ec2 create-security-group", TIMEOUT),
    ("ec2 authorize-security-group-ingress", NO_GROUP),
    ("ec2 import-key-pair", TIMEOUT),
    ("ec2 run-instances", NO_GROUP),
    ("ec2 run-instances", NO_KEY),
    ("ec2 run-instances", INVALID_PROFILE),
    ("ec2 run-instances", TIMEOUT),
    ("ec2 wait", NO_INSTANCE),
    ("ec2 describe-instances", TIMEOUT),
]
#: The lags of a group of instances.
LAGS_OF_A_GROUP = [
    ("ec2 create-launch-template", NO_GROUP),
    ("autoscaling create-auto-scaling-group", TEMPLATE),
    ("autoscaling create-auto-scaling-group", NO_TEMPLATE),
    ("autoscaling enable-metrics-collection", CONTENTION),
    ("autoscaling put-scaling-policy", CONTENTION),
]
#: The lags of its `down`.
LAGS_OF_ITS_END = [
    ("autoscaling delete-auto-scaling-group", SCALING),
    ("autoscaling delete-auto-scaling-group", IN_USE),
    ("ec2 delete-security-group", "(DependencyViolation) when calling X"),
    ("iam delete-role", "(DeleteConflict) when calling X"),
]
#: A new group that is not listed yet.
UNLISTED: dict[str, object] = {"call": "ec2 describe-security-groups", "answer": "None", "times": 2}
