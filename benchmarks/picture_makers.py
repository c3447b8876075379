"""Our contender of `benchmarks/pictures.py`, run as a process: the routine that the isolated child runs.

What it is to make is its argument, as JSON: source, out, sizes (widths and heights) and qualities (by format). It loads
what the child loads, and nothing of the other contenders.
"""

import json
import os
import sys
from pathlib import Path

from smmu.adapters.media.image import render_images
from smmu.adapters.media.source import LocalSource
from smmu.adapters.media.workbench import Workbench
from smmu.domain.limits import Limits
from smmu.domain.plan import ImageSpec, PlannedTask, TaskKind


def main() -> None:
    """Decode once, chain down, write, read back and prove."""
    order = json.loads(sys.argv[1])
    specs = tuple(
        ImageSpec(name=f"{width}", format=kind, width=width, height=height, quality=quality)
        for width, height in order["sizes"]
        for kind, quality in order["qualities"].items()
    )
    task = PlannedTask(name="images", kind=TaskKind.IMAGES, renditions=specs, memory_bytes=0, seconds_max=0)
    with Path(order["source"]).open("rb") as file:
        local = LocalSource(file.fileno(), Path(order["source"]).stat().st_size, lambda: None)
        bench = Workbench(source=local, directory=Path(order["out"]), limits=Limits(), tell=lambda _: None)
        made = render_images(bench, task)
    assert all(rendition.proof.ok for rendition in made)


if __name__ == "__main__":
    main()
    os._exit(0)  # as the child does, when all is said
