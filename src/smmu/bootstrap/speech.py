"""Which engine recognises speech, by the settings and by what is on this machine.

`auto`, the default, is faster-whisper with the largest model that lies in the folder of models, and nothing where none
does: no model is ever downloaded but by `smmu models fetch`. PocketSphinx and Amazon Transcribe are chosen by name.
Where the platform keeps models for its workers, `faster-whisper` is with one of those, named. A worker process of one
machine reads these variables by itself, as it does the limits.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from smmu.adapters.media.isolation import ChildIsolation
from smmu.bootstrap.branch import Branch
from smmu.bootstrap.variables import SettingsError, variable
from smmu.domain.limits import Limits
from smmu.ports.objects import ObjectStore
from smmu.ports.speech import SpeechRecognizer

Engine = Literal["auto", "none", "faster-whisper", "pocketsphinx", "transcribe"]
MODELS = "~/.local/share/smmu/models"


class Speech(Branch):
    """How what is said becomes captions."""

    engine: Engine = "auto"
    """What recognises speech: `auto` (faster-whisper with the largest model of the folder `models`, when there is one),
    `faster-whisper`, `pocketsphinx` (a draft engine for English that is often wrong), `transcribe` (Amazon Transcribe,
    on the platform `aws` alone) or `none`."""
    model: str | None = None
    """Which model of faster-whisper, by the name of its folder; without it, the largest that is there. Where workers
    fetch theirs from a bucket, it has to be named."""
    models: Path = Path(MODELS)
    """The folder of models, which `smmu models fetch` fills."""
    language: str | None = None
    """What is spoken, as a language tag (`en`, `pt-BR`), when all of it is in one language. Without it, the engine
    finds out."""

    @property
    def folder(self) -> Path:
        """The folder of models, wherever it is."""
        return self.models.expanduser()


def speech_in(environment: Mapping[str, str]) -> Speech:
    """The branch as the environment sets it, without the rest of the tree."""
    names = {name: variable(("speech", name)) for name in Speech.model_fields}
    given = {name: environment[names[name]] for name in names if names[name] in environment}
    try:
        return Speech.model_validate(given)
    except ValidationError as error:
        wrong = str(error.errors()[0]["loc"][0])
        raise SettingsError(f"{names[wrong]} is wrong: it is one of {', '.join(get_args(Engine))}.") from error


def kept_recognizer(speech: Speech, models: ObjectStore, limits: Limits, scratch: str) -> SpeechRecognizer:
    """Whisper with a model that the platform keeps. Raises `SettingsError` when none is named that is known here."""
    from smmu.adapters.speech.kept import KeptRecognizer  # noqa: PLC0415 - only where it was chosen
    from smmu.adapters.speech.models import SIZES  # noqa: PLC0415 - as above

    if speech.model is None or speech.model not in SIZES:
        given = "missing" if speech.model is None else f"wrong ({speech.model!r})"
        name = variable(("speech", "model"))
        raise SettingsError(f"{name} is {given}: where workers fetch their model, it is one of {', '.join(SIZES)}.")
    folder = Path(scratch) / "models"
    return KeptRecognizer(ChildIsolation(limits, scratch), models, speech.model, folder, language=speech.language)


def local_recognizer(speech: Speech, limits: Limits, scratch: str) -> SpeechRecognizer | None:
    """The engine of this machine that was chosen or is there; `None` when there is none."""
    isolation = ChildIsolation(limits, scratch)
    if speech.engine == "pocketsphinx":
        from smmu.adapters.speech.sphinx import SphinxRecognizer  # noqa: PLC0415 - only where it was chosen

        return SphinxRecognizer(isolation)
    if speech.engine not in {"auto", "faster-whisper"}:
        return None
    from smmu.adapters.speech.models import DEFAULT, largest  # noqa: PLC0415 - as above
    from smmu.adapters.speech.whisper import WhisperRecognizer  # noqa: PLC0415 - as above

    name = speech.model or largest(speech.folder)
    if name is None and speech.engine == "auto":
        return None
    return WhisperRecognizer(isolation, speech.folder / (name or DEFAULT), language=speech.language)
