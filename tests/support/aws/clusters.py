"""Clusters of the stand-in, for containers that are never really run: they have ended as soon as anybody looks."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from moto.moto_api import state_manager

from smmu.adapters.aws.asl_tasks import Names
from smmu.domain.plan import Family
from tests.support.aws.machines import client

_MODEL = "ecs::task"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a state machine is told of where containers run."""

    name: str
    family_prefix: str
    subnets: str
    security_groups: str

    def names(self, functions: Mapping[str, str]) -> Names:
        """For the compiler. `functions` are the ARNs of "perform", "open", "collect" and "render"."""
        return Names(
            **functions,
            cluster=self.name,
            family_prefix=self.family_prefix,
            subnets=self.subnets,
            security_groups=self.security_groups,
        )


def make_cluster() -> Cluster:
    """On Fargate, by its default strategy, with a task definition for each family of workers."""
    prefix = f"smmu-{secrets.token_hex(6)}"
    ecs, ec2 = client("ecs"), client("ec2")
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    ecs.create_cluster(clusterName=prefix, capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy)
    for family in Family:
        ecs.register_task_definition(
            family=f"{prefix}-{family}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="1024",
            memory="2048",
            containerDefinitions=[{"name": "worker", "image": "worker", "essential": True, "memory": 2048}],
        )
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"]
    return Cluster(prefix, prefix, subnet["SubnetId"], groups[0]["GroupId"])


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Meanwhile a container that was started has ended well at the first look."""
    state_manager.set_transition(_MODEL, {"progression": "immediate"})
    try:
        yield
    finally:
        state_manager.unset_transition(_MODEL)
