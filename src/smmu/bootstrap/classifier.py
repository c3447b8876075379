"""Who says what is to be seen in pictures, by the settings: a service of the platform, or a callable by its name."""

from smmu.adapters.policy.classifier import FunctionClassifier
from smmu.bootstrap.branch import Branch
from smmu.bootstrap.named import function_named
from smmu.bootstrap.variables import SettingsError, variable
from smmu.ports.classify import Classifier

SERVICE = "rekognition"
_ENGINE = variable(("classifier", "engine"))


class Labels(Branch):
    """Who says what is to be seen in pictures and films (docs/classification.md)."""

    engine: str | None = None
    """What labels pictures and the posters of films: `rekognition` (Amazon Rekognition, on the platform `aws` alone) or
    a function of the deployment's own, `package.module:function`. Without one, nothing does."""


def classifier_of(chosen: Labels, service: Classifier | None) -> Classifier | None:
    """The classifier; `None` without one. `service` is the platform's, where it was opened with one.

    Raises `SettingsError`.
    """
    if chosen.engine is None:
        return None
    if chosen.engine != SERVICE:
        return FunctionClassifier(function=function_named(chosen.engine, _ENGINE, SERVICE))
    if service is None:
        raise SettingsError(f"{_ENGINE} is {SERVICE}, which is there on the platform aws alone.")
    return service
