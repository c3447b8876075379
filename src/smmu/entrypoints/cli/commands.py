"""The commands by name. Each is a small file beside this one, and loads what it needs when it runs."""

import typer

from smmu.entrypoints.cli import asl, doctor, jobs, operations, process, serve, token, upload, worker

application = typer.Typer(
    name="smmu",
    help="Uploads of media that never lose a byte or a job.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
application.command("serve")(serve.serve)
application.command("process")(process.process)
application.command("upload")(upload.upload)
application.add_typer(jobs.group, name="jobs")
application.command("token")(token.token)
application.command("worker")(worker.worker)
application.command("asl")(asl.asl)
application.command("sweep")(operations.sweep)
application.command("redrive")(operations.redrive)
application.command("doctor")(doctor.doctor)
