"""`RekognitionClassifier`: labels and moderation by Amazon Rekognition, for deployments that choose it.

It gets the bytes of a picture that the product has made, and no name of an object: it needs no right to a bucket, the
two questions share one read of the picture, and what is judged is what was made, whatever lies under its name later.
The two are asked beside each other. Whoever asks bounds the time.

IAM: `rekognition:DetectLabels`, `rekognition:DetectModerationLabels`. Neither has a resource that could be named.

Costs: two images for each job that makes a picture, 0.1 cents each in most regions. Nothing is stored.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import anyio
from botocore.exceptions import ClientError

from smmu.adapters.aws.errors import translating
from smmu.domain.labels import CONFIDENCE_MIN, LABELS_MAX, Label, Sight
from smmu.ports.classify import Classifier
from smmu.ports.errors import Corrupt, one_error

_WHAT = "Amazon Rekognition"
_MIN_CONFIDENCE = 100 * CONFIDENCE_MIN  # its own are in hundredths


class RekognitionClassifier(Classifier):
    """Asks the service of one region."""

    def __init__(self, rekognition: Any) -> None:  # noqa: ANN401 - the SDK makes its clients' types at run time
        self._rekognition = rekognition

    async def look(self, jpeg: bytes) -> Sight:
        """See the port."""
        told: dict[str, Mapping[str, Any]] = {}
        given = {"Image": {"Bytes": jpeg}, "MinConfidence": _MIN_CONFIDENCE}

        async def ask(operation: str, **more: object) -> None:
            try:
                with translating(_WHAT):
                    told[operation] = await getattr(self._rekognition, operation)(**given, **more)
            except ClientError as error:
                raise Corrupt(f"{_WHAT} does not take the picture: {error}") from error

        with one_error():
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: ask("detect_labels", MaxLabels=LABELS_MAX))
                group.start_soon(lambda: ask("detect_moderation_labels"))
        return _sight(told["detect_labels"], told["detect_moderation_labels"])


def _sight(labels: Mapping[str, Any], moderation: Mapping[str, Any]) -> Sight:
    try:
        return Sight(
            labels=tuple(_labels(labels["Labels"])),
            moderation=tuple(_labels(moderation["ModerationLabels"])),
            models={
                "labels": f"{_WHAT}, labels {labels['LabelModelVersion']}",
                "moderation": f"{_WHAT}, moderation {moderation['ModerationModelVersion']}",
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Corrupt(f"the answer of {_WHAT} is in no form known here") from error


def _labels(told: list[Mapping[str, Any]]) -> Iterator[Label]:
    for one in told:
        yield Label(name=one["Name"], confidence=float(one["Confidence"]) / 100)
