"""What a deployment costs while it does nothing: what is paid for by the hour or the month, because it is there.

How much of it there is follows from infra/environments; tests/infra holds it against what was written and applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.prices import MONTH_MINUTES, PRICES

_HOURS = MONTH_MINUTES / 60
_API_CORES, _API_GIB = 0.5, 1.0
ENDPOINTS = 9  # services that are reached inside the network


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there always is of one environment. `endpoint_zones`: in how many of its zones endpoints are."""

    name: str
    zones: int
    endpoint_zones: int
    api_processes: int
    alarms: int

    @property
    def endpoints(self) -> int:
        """Interface endpoints, one for each service in each of those zones."""
        return ENDPOINTS * self.endpoint_zones

    @property
    def addresses(self) -> int:
        """Public addresses: one in each zone for the load balancer, and the NAT gateway's."""
        return self.zones + 1


DEV = Standing(name="dev", zones=2, endpoint_zones=1, api_processes=1, alarms=29)
PROD = Standing(name="prod", zones=3, endpoint_zones=3, api_processes=3, alarms=29)

Row = tuple[str, int, float]


def monthly(there: Standing) -> Sequence[Row]:
    """What there is, how many of it, and its dollars in a month."""
    process = PRICES["Fargate, x86, processor"].of(3_600 * _API_CORES) + PRICES["Fargate, x86, memory"].of(
        3_600 * _API_GIB
    )
    return [
        ("load balancer", 1, PRICES["Load balancer"].of(_HOURS)),
        ("public addresses", there.addresses, PRICES["Public IPv4 address"].of(_HOURS * there.addresses)),
        ("NAT gateway", 1, PRICES["NAT gateway"].of(_HOURS)),
        ("interface endpoints", there.endpoints, PRICES["Interface endpoint"].of(_HOURS * there.endpoints)),
        ("processes of the API, 0.5 vCPU, 1 GB", there.api_processes, process * _HOURS * there.api_processes),
        ("alarms", there.alarms, PRICES["Alarm"].of(there.alarms)),
        ("dashboard", 1, PRICES["Dashboard"].of(1)),
        ("key that playback is signed with", 1, PRICES["Key of KMS"].of(1)),
    ]
