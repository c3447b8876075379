"""What libraries log, through the same lines as everything else: warnings and worse."""

import logging

from smmu.ports.system import Telemetry


class _Told(logging.Handler):
    """Passes what is logged on to telemetry."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["stack"] = logging.Formatter().formatException(record.exc_info)
        self._telemetry.event("logged", level=_level(record.levelno), **fields)


def tell_what_libraries_log(telemetry: Telemetry) -> None:
    """From now on in this process, whatever was set up before (Lambda's runtime does so)."""
    root = logging.getLogger()
    root.handlers = [_Told(telemetry)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _level(number: int) -> str:
    return "error" if number >= logging.ERROR else "warning"
