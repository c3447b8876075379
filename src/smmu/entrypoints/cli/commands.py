"""The commands by name. Each is a small file beside this one, and loads what it needs when it runs."""

from importlib import metadata
from typing import Annotated

import typer

from smmu.entrypoints.cli import (
    asl,
    doctor,
    jobs,
    media,
    models,
    operations,
    process,
    remaking,
    serve,
    token,
    upload,
    verify,
    worker,
)
from smmu.entrypoints.cli.terminal import say


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - how an option's callback is called
    if asked:
        say(f"smmu {metadata.version('smart-media-uploader')}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is, and end.")
]


def smmu(*, _version: _Version = False) -> None:
    """Uploads of media that never lose a byte or a job."""


application = typer.Typer(
    name="smmu",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
application.callback()(smmu)
application.command("serve")(serve.serve)
application.command("process")(process.process)
application.command("verify")(verify.verify)
application.command("upload")(upload.upload)
application.add_typer(jobs.group, name="jobs")
media.group.command("redo")(remaking.redo)
media.group.command("add")(remaking.add)
application.add_typer(media.group, name="media")
application.add_typer(models.group, name="models")
application.command("token")(token.token)
application.command("worker")(worker.worker)
application.command("asl")(asl.asl)
application.command("sweep")(operations.sweep)
application.command("redrive")(operations.redrive)
application.command("doctor")(doctor.doctor)
