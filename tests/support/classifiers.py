"""Classifiers that a test tells what to see: a callable, and a stand-in of Amazon Rekognition that is asked by HTTP.

The stand-in speaks the service's protocol (JSON 1.1; its operations and errors as its API reference has them), so that
the SDK writes the question and reads the answer.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from smmu.adapters.aws.account import Account
from smmu.adapters.policy.classifier import FunctionClassifier
from smmu.domain.labels import Label, Sight
from smmu.ports.classify import Classifier
from smmu.ports.errors import Unavailable
from tests.support.listening import listening

SLOW_SECONDS = 0.4  # longer than who asks waits
SEA = Sight(
    labels=(Label(name="Sea", confidence=0.98), Label(name="Sky", confidence=0.75)),
    moderation=(Label(name="Alcohol", confidence=0.625),),
    models={"labels": "seer 3", "moderation": "seer 7"},
)
_REFUSALS: Mapping[str, tuple[int, str]] = {
    "away": (500, "InternalServerError"),
    "busy": (400, "ProvisionedThroughputExceededException"),
    "broken": (400, "InvalidImageFormatException"),
    "unknown": (400, "InvalidParameterException"),
    "denied": (400, "AccessDeniedException"),
}


@dataclass(slots=True)
class Eye:
    """What a classifier sees next, and what it was shown. `trouble` is what it does instead of answering."""

    sight: Sight = SEA
    trouble: str = ""
    shown: list[bytes] = field(default_factory=list)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)


def in_process(eye: Eye) -> Classifier:
    def look(jpeg: bytes) -> Sight:
        eye.shown.append(jpeg)
        if eye.trouble == "slow":
            time.sleep(SLOW_SECONDS)  # noqa: TID251 (a deployment's code may do as it likes)
        if eye.trouble == "away":
            raise Unavailable("its model is away")
        if eye.trouble == "broken":
            raise KeyError("a bug")
        return eye.sight

    return FunctionClassifier(function=look)


@contextmanager
def rekognition(eye: Eye) -> Iterator[Account]:
    """An account whose Amazon Rekognition sees as the eye does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["x-amz-target"].removeprefix("RekognitionService.")
            eye.asked[operation] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if operation == "DetectLabels":
                eye.shown.append(base64.b64decode(eye.asked[operation]["Image"]["Bytes"]))
            if eye.trouble == "slow":
                time.sleep(SLOW_SECONDS)  # noqa: TID251 (as above)
            status, code = _REFUSALS.get(eye.trouble, (200, ""))
            answer = {"__type": code, "message": "as told"} if code else _ANSWERS[operation](eye.sight)
            body = json.dumps({} if eye.trouble == "empty" else answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError as error:  # who asked did not wait
                self.log_error("%s", error)

    with listening(Handler) as endpoint:
        yield Account(region="eu-central-1", endpoint=endpoint, credentials=("id", "secret"))


def _labels(sight: Sight) -> dict[str, Any]:
    told = [{"Name": one.name, "Confidence": 100 * one.confidence, "Parents": []} for one in sight.labels or ()]
    return {"Labels": told, "LabelModelVersion": "3.0"}


def _moderation(sight: Sight) -> dict[str, Any]:
    told = [{"Name": one.name, "Confidence": 100 * one.confidence, "ParentName": ""} for one in sight.moderation or ()]
    return {"ModerationLabels": told, "ModerationModelVersion": "7.0"}


_ANSWERS: Mapping[str, Callable[[Sight], dict[str, Any]]] = {
    "DetectLabels": _labels,
    "DetectModerationLabels": _moderation,
}
