"""`FunctionPictures`: pictures on request are made by the function that renders, because the API decodes nothing.

The function is told the whole order, asks for nothing but the source, and answers where the picture is. What it may
reach is narrowed to the order's owner (`sessions.py`); that it was asked by somebody who may is Lambda's to know: the
request is signed with the API's role, and the function checks all the same that the wish is one of the few there are.

IAM: of the API `lambda:InvokeFunction` on that function. Costs: an invocation for each picture, once; with its source
and the picture it is one HEAD, a GET for each 8 MiB and one PUT, besides what the API asks to find it.
"""

import json
from typing import Any

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from smmu.adapters.aws.account import Resources
from smmu.adapters.aws.errors import translating
from smmu.adapters.aws.failures import code_of_failure
from smmu.domain.errors import WORDS, Code, refuse
from smmu.domain.limits import Limits
from smmu.domain.values import ObjectRef
from smmu.ports.errors import Corrupt, Unavailable, WorldError
from smmu.ports.pictures import PictureMaker, PictureOrder

ORDER = TypeAdapter(PictureOrder)
REF = TypeAdapter(ObjectRef)
STARTING_SECONDS = 30  # until a function that nobody has asked for long is there
_WORLDS = frozenset({Code.WORLD_UNAVAILABLE, Code.INTERRUPTED, Code.DISK_FULL})


class FunctionPictures(PictureMaker):
    """The function of one deployment. `client` is Lambda's, and patient."""

    def __init__(self, client: Any, resources: Resources) -> None:  # noqa: ANN401 - the SDK's clients have no types
        self._lambda = client
        self._function = resources.render_function

    async def make(self, order: PictureOrder) -> ObjectRef:
        """Ask the function, and wait for it. See the port."""
        event = {"order": ORDER.dump_python(order, mode="json")}
        what = f"function {self._function}"
        try:
            with translating(what):
                told = await self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
                async with told["Payload"] as body:
                    answer = await body.read()
        except ClientError as error:
            raise Corrupt(f"{what} does not take the order: {error}") from error
        if told.get("FunctionError"):
            raise _failure(json.loads(answer), answer.decode())
        return REF.validate_json(answer)


def patience_of(limits: Limits) -> int:
    """How long the function may take to answer, its own start included."""
    return limits.variant_seconds + STARTING_SECONDS


def _failure(told: dict[str, Any], answer: str) -> Exception:
    """A function's error as the port has it: what fails on the world's side is no refusal."""
    error, words, _ = code_of_failure(str(told.get("errorType", "")), answer)
    code = Code(error) if error in frozenset(Code) else Code.INTERNAL
    if code in _WORLDS:
        failed: WorldError = Unavailable(f"the function that renders: {words}")
        return failed
    return refuse(code, words or WORDS[Code.INTERNAL])
