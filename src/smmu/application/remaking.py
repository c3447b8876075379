"""Some renditions later: one made again, or one that nobody asked for before, without the rest. A job on the same file.

What can be refused is refused here, before there is a job: by the facts that inspection has found, with the planner
that the job itself will ask. One job at a time works on a media, which its record sees to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smmu.application.jobs import Jobs
from smmu.application.library import Library
from smmu.application.lines import of_job
from smmu.application.messages import job_wants_dispatch
from smmu.application.revisions import facts_of
from smmu.application.store import Store, until_settled
from smmu.application.transcription import speech_of
from smmu.application.uploads import KEY_SECONDS, require_same
from smmu.application.watermarks import watermark_of
from smmu.domain import media, plan_watermark
from smmu.domain.errors import Code, refuse, refuse_if
from smmu.domain.job import RENDITIONS, Job
from smmu.domain.media import Media, State
from smmu.domain.options import Options, widened
from smmu.domain.plan import Plan, Role
from smmu.domain.plan_speech import Demands, Speech
from smmu.domain.planner import plan
from smmu.domain.remaking import Wish, at_once, check, chosen
from smmu.domain.trace import derived
from smmu.domain.values import JOB
from smmu.ports.ledger import Change
from smmu.ports.records import IdempotencyKey, Stored
from smmu.ports.speech import SpeechRecognizer
from smmu.ports.system import IdSource

_HEARD = frozenset({Role.CAPTIONS, Role.TRANSCRIPT})
_SOMEBODYS = Demands(memory_bytes=0, pace=1.0)  # an engine that is not here, but was where the captions were made


def _marked(known: Media, whole: Plan) -> frozenset[str]:
    """What is there and shows a watermark: with another, all of it is made again.

    Raises `Refused` where the plan does not have some of it, which would keep its own.
    """
    there = frozenset(record.name for record in known.renditions if record.role in plan_watermark.ROLES)
    left = there - frozenset(plan_watermark.carriers(whole))
    if left:
        words = (
            f"The watermark cannot be changed, since {', '.join(sorted(left))} would stay as it is: ask for a preset"
        )
        raise refuse(Code.INVALID_OPTIONS, f"{words} that makes it.", "/options/watermark")
    return there


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An `Idempotency-Key`, and the fingerprint of the request that it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """The job that makes them; `replayed` when an idempotency key had begun it before."""

    job: Job
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaking:
    """The use case."""

    store: Store
    jobs: Jobs
    library: Library
    recognizer: SpeechRecognizer | None
    ids: IdSource

    async def begin(
        self, owner: str, media_id: str, wish: Wish, *, once: Once | None = None, trace: str = ""
    ) -> Remade:
        """Open a job that makes what is wished. `Refused` when there is no such thing, or while another is at work."""
        refuse_if(check(wish))

        async def attempt() -> Remade:
            used = None if once is None else await self.store.find(IdempotencyKey, owner, once.key)
            if once is not None and used is not None and used.value.expires_at > self.jobs.clock.now():
                require_same(used.value, once.fingerprint)
                return Remade(job=(await self.store.get(Job, owner, used.value.job_id)).value, replayed=True)
            stored = await self.library.get(owner, media_id)
            opened = await self._job(stored.value, wish, trace)
            writing = await self.jobs.still_writing(stored.value)
            changed = media.opened(stored.value, opened.id, writing, opened.created_at)
            changes = [
                self.store.put(opened),
                self.store.put(changed, stored.version),
                *self._use(opened, once, used),
            ]
            await self.store.commit(changes, [job_wants_dispatch(opened, "created")])
            self.jobs.telemetry.event("renditions_asked", **of_job(opened), renditions=len(opened.renditions))
            return Remade(job=opened)

        return await until_settled(attempt)

    async def _job(self, known: Media, wish: Wish, trace: str) -> Job:
        await self._require_ready(known)
        before = await self._options(known)
        options = widened(before, wish.options)
        whole = await self._plan(known, options, named="watermark" in wish.options)
        marked = frozenset[str]() if options.watermark == before.watermark else _marked(known, whole)
        names = chosen(whole, [record.name for record in known.renditions], wish, again=marked)
        await self.jobs.require_source(known.source)
        now, job_id = self.jobs.clock.now(), self.ids.new(JOB)
        return Job(
            id=job_id,
            owner=known.owner,
            upload_id=known.upload_id,
            media_id=known.id,
            kind=RENDITIONS,
            source=known.source,
            options=options,
            filename=known.filename,
            renditions=names,
            created_at=now,
            updated_at=now,
            started_at=now,
            checked_at=now,
            events=1,
            trace=trace or derived(job_id).parent,
        )

    async def _plan(self, known: Media, options: Options, *, named: bool) -> Plan:
        """The whole plan with these options, of which `named` are those that say the watermark just now."""
        objects, limits = self.jobs.objects, at_once(self.store.limits)
        watermark = await watermark_of(self.store, objects, known.owner, options, named=named, later=True)
        return plan(facts_of(known), options, limits, await self._speech(known), watermark)

    async def _require_ready(self, known: Media) -> None:
        if known.state is not State.READY:
            words = f"The media is {known.state}: renditions are made or added when it is ready."
            raise refuse(Code.MEDIA_NOT_READY, words)
        await self.jobs.require_idle(known)
        if len(known.replaced) >= self.store.limits.replaced_max:
            words = f"The media was changed {len(known.replaced)} times, and all of it may still be played: try later."
            raise refuse(Code.MEDIA_BUSY, words)

    async def _options(self, known: Media) -> Options:
        """Those that the newest manifest was made with."""
        return (await self.store.get(Job, known.owner, known.job_id)).value.options

    async def _speech(self, known: Media) -> Speech:
        found = await speech_of(self.recognizer)
        heard = any(record.role in _HEARD for record in known.renditions)
        return _SOMEBODYS if isinstance(found, str) and heard else found

    def _use(self, opened: Job, once: Once | None, before: Stored[IdempotencyKey] | None) -> Sequence[Change]:
        if once is None:
            return ()
        used = IdempotencyKey(
            key=once.key,
            owner=opened.owner,
            fingerprint=once.fingerprint,
            job_id=opened.id,
            expires_at=opened.created_at + KEY_SECONDS,
        )
        return [self.store.put(used, before.version if before else 0)]
