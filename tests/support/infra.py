"""What infra/ says, read without Terraform: policy documents, with just as much of its language as they are written in.

And what the adapters' headers say that they need.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.source import PACKAGE, parse, python_files
from tests.support.terraform import INFRA

UNNAMEABLE = {
    "ecr:GetAuthorizationToken": "a token is for the whole registry",
    "ecs:ListTasks": "tasks are bound by a condition on their cluster",
    "transcribe:StartTranscriptionJob": "a job has no name that a policy could bind before it is started",
    "rekognition:DetectLabels": "a picture that is sent along is no resource",
    "rekognition:DetectModerationLabels": "as above",
    "logs:CreateLogDelivery": "log deliveries are no resources (Step Functions developer guide, logging)",
    "logs:GetLogDelivery": "as above",
    "logs:UpdateLogDelivery": "as above",
    "logs:DeleteLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "as above",
    "logs:DescribeResourcePolicies": "as above",
    "logs:DescribeLogGroups": "as above",
    "xray:PutTraceSegments": "traces are no resources (X-Ray developer guide, identity-based policies)",
    "xray:PutTelemetryRecords": "as above",
    "xray:GetSamplingRules": "as above",
    "xray:GetSamplingTargets": "as above",
}
_DOCUMENT = re.compile(r'^data "aws_iam_policy_document" "(\w+)" \{', re.MULTILINE)
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{', re.MULTILINE)
_STATEMENT = re.compile(r"^  statement \{", re.MULTILINE)
_CONDITION = re.compile(r"^    condition \{", re.MULTILINE)
_LIST = r"^\s+{}\s*=\s*\[(.*?)\]"
_IAM = re.compile(r"IAM\b.*?(?=\n\n|\bCosts\b|\bRequests\b|\Z)", re.DOTALL)
# `s3:GetObject`, or the rest of a list whose first has said the service: `PutItem`, or PutTargets after a comma.
_ACTION = re.compile(r"\b([a-z0-9]+):([A-Z]\w+)|`([A-Z]\w+)`|(?<=, )([A-Z][a-z]+[A-Z]\w+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document. `of_role`: not of who may assume a role or use a resource."""

    document: str
    text: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @property
    def of_role(self) -> bool:
        return "principals {" not in self.text

    def rendered(self, names: Mapping[str, str]) -> dict[str, Any]:
        """As IAM has it, where `names` says what resources and references are called."""
        told: dict[str, Any] = {"Effect": "Allow", "Action": [*self.actions]}
        if resources := _elements("resources", self.text):
            told["Resource"] = [_with(names, one) for one in resources]
        for test, variable, values in self.conditions:
            told.setdefault("Condition", {}).setdefault(test, {})[variable] = [_with(names, one) for one in values]
        return told


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource as it is written."""

    kind: str
    name: str
    text: str

    def says(self, argument: str) -> str | None:
        """What it says of an argument of its own (not of one in an inner block), in Terraform's words."""
        found = re.search(rf"^  {argument}\s*= (.*)$", self.text, re.MULTILINE)
        return found[1] if found else None


def terraform_files() -> list[Path]:
    return sorted(path for path in INFRA.rglob("*.tf") if ".terraform" not in path.parts)


def declared(kind: str) -> list[Declared]:
    """All resources of a kind."""
    texts = [path.read_text(encoding="utf-8") for path in terraform_files()]
    return [one for text in texts for one in declared_in(text) if one.kind == kind]


def declared_in(text: str) -> Iterator[Declared]:
    for found in _RESOURCE.finditer(text):
        yield Declared(found[1], found[2], _block(text, found.end()))


def statements() -> list[Statement]:
    """All statements of all policy documents."""
    return [one for path in terraform_files() for one in statements_in(path.read_text(encoding="utf-8"))]


def statements_in(text: str) -> Iterator[Statement]:
    for found in _DOCUMENT.finditer(text):
        block = _block(text, found.end())
        for begun in _STATEMENT.finditer(block):
            inner = _block(block, begun.end())
            conditions = tuple(_conditions(inner))
            yield Statement(found[1], inner, _listed("actions", inner), _listed("resources", inner), conditions)


def policy(*documents: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The statements of documents by these names, as IAM has them."""
    found = [one.rendered(names) for one in statements() if one.document in documents]
    assert found, documents
    return found


def _conditions(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for begun in _CONDITION.finditer(text):
        inner = _block(text, begun.end())
        test, variable = (re.findall(rf'^\s+{name}\s*= "(.*)"$', inner, re.MULTILINE) for name in ("test", "variable"))
        yield test[0], variable[0], _elements("values", inner)


def _elements(name: str, text: str) -> tuple[str, ...]:
    """A list's strings, and its references as they are written."""
    found = re.search(_LIST.format(name) + "$", text, re.DOTALL | re.MULTILINE)
    elements = re.findall(r'"([^"]*)"|([a-z]\w*(?:\.\w+|\["\w+"\])+)', found[1]) if found else ()
    return tuple(quoted or reference for quoted, reference in elements)


def _with(names: Mapping[str, str], text: str) -> str:
    for reference, name in names.items():
        text = text.replace(reference, name)
    return text.replace("&{", "${")


def _listed(name: str, text: str) -> tuple[str, ...]:
    found = re.search(_LIST.format(name), text, re.DOTALL | re.MULTILINE)
    return tuple(re.findall(r'"([^"]*)"', found[1])) if found else ()


def _block(text: str, start: int) -> str:
    """What is between the brace that ends before `start` and its own end."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place]
    raise ValueError("a block has no end")


def actions_in_headers() -> set[str]:
    """Every IAM action that a header in adapters/aws names."""
    headers = [ast.get_docstring(parse(path)) or "" for path in python_files(str(PACKAGE / "adapters" / "aws"))]
    return {action for header in headers for action in actions_in(header)}


def actions_in(header: str) -> Iterator[str]:
    for paragraph in _IAM.findall(header):
        service = ""
        for told, first, quoted, bare in _ACTION.findall(paragraph):
            service = told or service
            yield f"{service}:{first or quoted or bare}"


def alarms() -> set[str]:
    """The names of all alarms, as they are without a deployment's prefix."""
    text = _of_observability("alarms")
    plain = set(re.findall(r"^    ([a-z-]+) = \{$", text, re.MULTILINE))
    single = {
        name.replace("_", "-") for name in re.findall(r'^resource "\w+" "(failure_rate|spend)"', text, re.MULTILINE)
    }
    return plain | single | {name for pattern in _patterns(text) for name in pattern}


def standing_alarms() -> set[str]:
    """Those that every deployment has: the function that renders is an option, and what a budget tells is no alarm."""
    return {name for name in alarms() if not name.startswith("render-")} - {"spend"}


def _patterns(text: str) -> list[list[str]]:
    found = re.findall(r'for function in (\[[^\]]*\]|local\.functions) : "\$\{function\}(-\w+)"', text)
    every = " ".join(re.findall(r"^  (?:always|functions)\s*= (.*)$", _of_observability("main"), re.MULTILINE))
    assert every
    return [
        [f"{name}{end}" for name in re.findall(r'"(\w+)"', every if which.startswith("local") else which)]
        for which, end in found
    ]


def _of_observability(name: str) -> str:
    return (INFRA / "modules" / "observability" / f"{name}.tf").read_text(encoding="utf-8")
