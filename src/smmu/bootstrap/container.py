"""The table of who is made of what. Read it; there is nothing else to know about wiring.

`Dependency` is what was opened before (`opening.py` owns lifetimes), `Singleton` is made once from the rows above it.
"""

from dependency_injector import containers, providers

from smmu.adapters.media.engine import PyavEngine
from smmu.application.system import System, assemble
from smmu.bootstrap.settings import Settings
from smmu.domain.limits import Limits
from smmu.ports.classify import Classifier
from smmu.ports.identity import TokenVerifier
from smmu.ports.platform import Platform
from smmu.ports.policy import Policy
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import Telemetry


class Container(containers.DeclarativeContainer):
    """One running product. `scratch` is the folder that the media engine may fill and clears again."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    platform: providers.Dependency[Platform] = providers.Dependency(instance_of=Platform)
    verifier: providers.Dependency[TokenVerifier] = providers.Dependency()
    telemetry: providers.Dependency[Telemetry] = providers.Dependency()
    scratch: providers.Dependency[str] = providers.Dependency(instance_of=str)
    recognizer: providers.Dependency[SpeechRecognizer | None] = providers.Dependency()
    policy: providers.Dependency[Policy | None] = providers.Dependency()
    classifier: providers.Dependency[Classifier | None] = providers.Dependency()

    limits: providers.Provider[Limits] = settings.provided.limits
    engine = providers.Singleton(PyavEngine, limits=limits, scratch=scratch)
    system: providers.Singleton[System] = providers.Singleton(
        assemble,
        platform=platform,
        engine=engine,
        limits=limits,
        telemetry=telemetry,
        recognizer=recognizer,
        policy=policy,
        classifier=classifier,
    )
