"""What Terraform's provider asks of CloudFront and moto does not answer.

Policies of response headers are missing, and key groups cannot be deleted. tests/infra/test_mends.py fails when moto has
learned them.
"""

from collections.abc import Callable
from typing import Any

from moto.cloudfront.responses import CloudFrontResponse
from moto.cloudfront.urls import url_paths
from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random

_POLICIES: dict[str, dict[str, Any]] = {}  # what was made, by id
_PATH = "{0}/2020-05-31/response-headers-policy"
_TAG = "E1"


def _create(asked: Any) -> ActionResult:
    made = mock_random.get_random_hex(14)
    _POLICIES[made] = asked._get_param("ResponseHeadersPolicyConfig")
    return _told(made)


def _get(asked: Any) -> ActionResult:
    return _told(asked._get_param("Id"))


def _delete(asked: Any) -> ActionResult:
    del _POLICIES[asked._get_param("Id")]
    return EmptyResult()


def _delete_group(asked: Any) -> ActionResult:
    del asked.backend.key_groups[asked._get_param("Id")]
    return EmptyResult()


def _told(policy: str) -> ActionResult:
    told = {
        "Id": policy,
        "LastModifiedTime": "2026-01-01T00:00:00Z",
        "ResponseHeadersPolicyConfig": _POLICIES[policy],
    }
    return ActionResult({"ResponseHeadersPolicy": told, "ETag": _TAG, "Location": policy})


MENDS: tuple[tuple[str, Callable[[Any], ActionResult]], ...] = (
    ("create_response_headers_policy", _create),
    ("get_response_headers_policy", _get),
    ("delete_response_headers_policy", _delete),
    ("delete_key_group", _delete_group),
)
LEARNED = [name for name, _ in MENDS if hasattr(CloudFrontResponse, name)]  # before anything is mended


def mend() -> None:
    """Before the stand-in is first asked for CloudFront."""
    for name, answer in MENDS:
        setattr(CloudFrontResponse, name, answer)
    for path in (f"{_PATH}$", f"{_PATH}/(?P<policy_id>[^/]+)$"):
        url_paths[path] = CloudFrontResponse.dispatch
