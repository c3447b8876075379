"""A later revision of a media: the manifest that it adds to, and the plan of what is made beside what is kept.

What is kept stays where it is. The new manifest is in the media's own folder, from where the paths of several jobs are
below it; only the playlists over rungs of several jobs are written again, and lead from folder to folder.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from smmu.application.documents import adapter
from smmu.domain import keys
from smmu.domain.errors import Code, refuse
from smmu.domain.facts import MediaFacts
from smmu.domain.job import Job
from smmu.domain.kept import Kept, KeptTrack
from smmu.domain.limits import Limits
from smmu.domain.manifest import Rendition, moved, rendition_of
from smmu.domain.media import Media
from smmu.domain.plan import AudioSpec, Plan, PlannedTask, PlaylistSpec, Role, TaskKind
from smmu.domain.plan_speech import Speech
from smmu.domain.planner import plan
from smmu.domain.remaking import Wish, at_once, chosen, narrowed
from smmu.domain.values import ObjectRef
from smmu.domain.watermark import Watermark
from smmu.ports.objects import ObjectStore

_PLAYLIST, _SEGMENT = "application/vnd.apple.mpegurl", "video/iso.segment"
_UP = (
    "../../../"  # from {job}-a{attempt}/{task}-{fence}/hls/, where an engine puts its playlists, to the media's folder
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """The manifest that a revision adds to. `renditions` have their paths relative to the media's folder."""

    ref: ObjectRef
    source: Mapping[str, Any]
    renditions: tuple[Rendition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What there is."""
        return tuple(made.name for made in self.renditions)


async def read_former(objects: ObjectStore, known: Media) -> Former:
    """The newest manifest of a media, which has one."""
    if known.manifest is None:
        raise refuse(Code.MEDIA_NOT_READY, f"The media is {known.state}: there is nothing to add to.")
    document = json.loads(await _bytes(objects, known.manifest))
    prefix = keys.folder_of(known.manifest.key).removeprefix(keys.media_prefix(known.owner, known.id))
    made = tuple(moved(rendition_of(one), prefix) for one in document["renditions"])
    return Former(ref=known.manifest, source=document["source"], renditions=made)


def facts_of(known: Media) -> MediaFacts:
    """What inspection has found, as a published media keeps it."""
    facts: MediaFacts = adapter(MediaFacts).validate_python(known.facts)
    return facts


async def plan_revision(
    objects: ObjectStore, known: Media, job: Job, limits: Limits, speech: Speech, *, watermark: Watermark | None
) -> Plan:
    """What a job of kind `renditions` makes: of its options' whole plan what it names, and what stands on that."""
    former = await read_former(objects, known)
    whole = plan(facts_of(known), job.options, at_once(limits), speech, watermark)
    part = narrowed(whole, chosen(whole, former.names, Wish(names=job.renditions)), former.names)
    new = [spec.name for task in _tasks(part) for spec in task.renditions]
    staying = [one for one in former.renditions if one.name not in new and one.role in _PLAYED]
    manifest = next((one for one in former.renditions if one.role == Role.DASH), None)
    if manifest is None or not any(map(_lists, _tasks(part))):
        return part
    root = keys.media_prefix(known.owner, known.id)
    tracks = [await _track(objects, root, one) for one in staying]
    text = await _text(objects, root + manifest.path)
    order = tuple(dict.fromkeys((*former.names, *new)))
    sounds = [spec for task in _tasks(whole) if _lists(task) for spec in task.renditions if isinstance(spec, AudioSpec)]
    heard = tuple(spec.track_index for spec in sounds if spec.name in former.names)
    return _keeping(part, Kept(manifest=text, place=_folder(manifest), tracks=tuple(tracks), order=order, heard=heard))


_PLAYED = frozenset({Role.HLS_VIDEO, Role.HLS_AUDIO})


def _tasks(of: Plan) -> Iterator[PlannedTask]:
    return (task for stage in of.stages for task in stage.tasks)


def _lists(task: PlannedTask) -> bool:
    return task.kind is TaskKind.VIDEO and any(isinstance(spec, PlaylistSpec) for spec in task.renditions)


def _keeping(part: Plan, kept: Kept) -> Plan:
    stages = [
        replace(stage, tasks=tuple(replace(task, kept=kept) if _lists(task) else task for task in stage.tasks))
        for stage in part.stages
    ]
    return replace(part, stages=tuple(stages))


async def _track(objects: ObjectStore, root: str, one: Rendition) -> KeptTrack:
    """A rung or a sound that stays, as the new playlists find it."""
    folder = _folder(one)
    told = next((file.path for file in one.files[1:] if file.content_type == _PLAYLIST), None)
    text = "" if told is None else await _text(objects, root + told)
    return KeptTrack(
        name=one.name,
        place=folder,
        folder=_UP + folder,
        sizes=tuple(file.size for file in one.files if file.content_type == _SEGMENT),
        keys=text,
        title=one.title or "",
        language=one.language or "",
        purpose=one.purpose or "",
    )


def _folder(one: Rendition) -> str:
    return str(PurePosixPath(one.path).parent)


async def _text(objects: ObjectStore, key: str) -> str:
    found = await objects.find(key)
    if found is None:
        raise refuse(Code.PROOF_FAILED, "A playlist of what is there already is no longer kept.")
    return (await found.source.read(0, found.source.size)).decode()


async def _bytes(objects: ObjectStore, ref: ObjectRef) -> bytes:
    source = await objects.open(ref)
    return await source.read(0, source.size)


def in_order(before: Sequence[Rendition], made: Sequence[Rendition]) -> tuple[Rendition, ...]:
    """All renditions of a revision: what was made again stands where it stood, what is new comes after."""
    newer = {one.name: one for one in made}
    again = tuple(newer.pop(one.name, one) for one in before)
    return (*again, *newer.values())
