"""`take_cover`: the picture that a sound carries, as it is. It decodes none: pictures have a child of their own."""

from smmu.adapters.media.tracks import is_cover_art
from smmu.adapters.media.workbench import Workbench

PATH, CONTENT_TYPE = "cover", "application/octet-stream"


def take_cover(bench: Workbench) -> None:
    """Leave the first attached picture, if there is one with anything in it."""
    with bench.open_container() as container:
        attached = next((stream for stream in container.streams.video if is_cover_art(stream)), None)
        if attached is None:
            return
        for packet in container.demux(attached):
            if packet.size:
                (bench.directory / PATH).write_bytes(bytes(packet))
                bench.finish(PATH, CONTENT_TYPE)
                return
            bench.beat()
