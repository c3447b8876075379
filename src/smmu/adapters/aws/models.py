"""Where a deployment keeps speech models: objects of a bucket of their own, in which no owner's bytes are.

Workers fetch from it and never write to it. Whoever may put a model there needs no right to anything that owners have.

Storage layout: `models/…` in the models' bucket (adapters/speech/kept.py), which keeps versions.

IAM: of a worker that transcribes `s3:GetObject`, `s3:GetObjectVersion` on its model; `s3:ListBucket`, without which a
model that is not there is 403 instead of 404; the key's, as objects.py has them. Of whoever puts one `s3:PutObject`,
`s3:AbortMultipartUpload` as well. Requests of a worker: two HEAD for each of its files, and a GET for every 8 MiB.
"""

from dataclasses import replace

from smmu.adapters.aws.account import Clients, Resources
from smmu.adapters.aws.objects import S3ObjectStore
from smmu.ports.objects import ObjectStore
from smmu.ports.system import Clock


def model_store(clients: Clients, resources: Resources, clock: Clock) -> ObjectStore | None:
    """The store of a deployment's models; `None` where it has none."""
    bucket = resources.models_bucket
    if not bucket:
        return None
    return S3ObjectStore(clients, replace(resources, raw_bucket=bucket, processed_bucket=bucket), clock)
