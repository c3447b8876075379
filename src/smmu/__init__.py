"""Smart Media Uploader: uploads of media that never lose a byte or a job.

What a program that embeds the product imports, without a web framework, a media library or a settings reader: a whole
service in memory (`open_in_memory`), or the parts to assemble one over other adapters (`assemble`). docs/embedding.md
shows it. Each name is loaded when it is first used, so that importing this package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smmu.adapters.inmemory.media import PretendEngine, pretend_file
    from smmu.adapters.inmemory.platform import memory_platform
    from smmu.adapters.policy.classifier import FunctionClassifier
    from smmu.adapters.policy.function import FunctionPolicy
    from smmu.application.system import System, assemble
    from smmu.bootstrap.embedding import open_in_memory, send, until_over
    from smmu.domain.admission import UploadRequest
    from smmu.domain.errors import Code, Refused
    from smmu.domain.facts import Kind
    from smmu.domain.labels import Label, Sight
    from smmu.domain.limits import Limits
    from smmu.domain.options import Options
    from smmu.domain.policy import Unanswered, Verdict
    from smmu.domain.watermark import WatermarkWish
    from smmu.ports.classify import Classifier
    from smmu.ports.errors import WorldError
    from smmu.ports.media import MediaEngine
    from smmu.ports.platform import Platform
    from smmu.ports.policy import Policy, Question
    from smmu.ports.system import Telemetry

__all__ = [
    "Classifier",
    "Code",
    "FunctionClassifier",
    "FunctionPolicy",
    "Kind",
    "Label",
    "Limits",
    "MediaEngine",
    "Options",
    "Platform",
    "Policy",
    "PretendEngine",
    "Question",
    "Refused",
    "Sight",
    "System",
    "Telemetry",
    "Unanswered",
    "UploadRequest",
    "Verdict",
    "WatermarkWish",
    "WorldError",
    "assemble",
    "memory_platform",
    "open_in_memory",
    "pretend_file",
    "send",
    "until_over",
]

_HOMES = {
    "Classifier": "ports.classify",
    "Code": "domain.errors",
    "FunctionClassifier": "adapters.policy.classifier",
    "FunctionPolicy": "adapters.policy.function",
    "Kind": "domain.facts",
    "Label": "domain.labels",
    "Limits": "domain.limits",
    "MediaEngine": "ports.media",
    "Options": "domain.options",
    "Platform": "ports.platform",
    "Policy": "ports.policy",
    "PretendEngine": "adapters.inmemory.media",
    "Question": "ports.policy",
    "Refused": "domain.errors",
    "Sight": "domain.labels",
    "System": "application.system",
    "Telemetry": "ports.system",
    "Unanswered": "domain.policy",
    "UploadRequest": "domain.admission",
    "Verdict": "domain.policy",
    "WatermarkWish": "domain.watermark",
    "WorldError": "ports.errors",
    "assemble": "application.system",
    "memory_platform": "adapters.inmemory.platform",
    "open_in_memory": "bootstrap.embedding",
    "pretend_file": "adapters.inmemory.media",
    "send": "bootstrap.embedding",
    "until_over": "bootstrap.embedding",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type: see above
    """Load a name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
