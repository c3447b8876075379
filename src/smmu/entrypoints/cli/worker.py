"""`smmu worker`: what starts one heavy task by hand. Machines start `smmu.entrypoints.worker`, which is the same."""

from typing import Annotated, Literal

import typer

from smmu.entrypoints.cli.boundary import Stop


def worker(
    family: Annotated[Literal["transcode", "transcribe"], typer.Argument(help="What the machine was chosen for.")],
    owner: Annotated[str, typer.Option(metavar="NAME", help="Whose task it is.")],
    record: Annotated[str, typer.Option(metavar="ID", help="The task's record.")],
    data: Annotated[str | None, typer.Option(metavar="DIR", help="The served data folder; on AWS, none.")] = None,
    tries: Annotated[int, typer.Option(min=0, metavar="N", help="How often it has failed before.")] = 0,
) -> None:
    """Do one heavy task. It is of a served data folder, or of a deployment on AWS."""
    from smmu.entrypoints.worker import Errand, run

    status = run(Errand(family=family, data=data, owner=owner, record=record, tries=tries))
    if status:
        raise Stop(status)
