"""The composition root: settings in, running objects out. Alone names concrete classes and starts their tasks."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from argoos import __version__
from argoos.applier import Applier
from argoos.core.image import RegistryNames
from argoos.errors import BackendUnavailable, NotFound, StoreUnavailable
from argoos.metrics import Metrics
from argoos.planner import Planner
from argoos.ports import Backend, History, Store
from argoos.receivers import RECEIVERS
from argoos.settings import Address, KubernetesSettings, ManifestsSettings, Settings, Tokens
from argoos.store import SqlStore, open_history, open_store
from argoos.web.collaborators import Collaborators
from argoos.web.server import Listening, metrics_site, site
from argoos.web.server import serve as serve_site
from argoos.web.tls import Certificate
from argoos.worker import Worker, WorkerOptions

log = structlog.get_logger(__name__)

PRUNE_SECONDS = 600.0
"""How often the history is pruned."""

PRUNE_BATCH = 500
"""How many rows one pruning deletes at once, so that it is never long in the way of a delivery."""

ANSWER_SECONDS = 1.0
"""How long open requests may take once the stop has begun. A delivery takes milliseconds."""

SYNC_SECONDS = 30.0
"""How long a command waits for the backends to read their lists."""


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; return once everything is put away.

    Raises:
        SettingsError: a file that the settings name cannot be used.
        ExceptionGroup: holds what ended the daemon: the error of a background task, since none dies alone, or a
            PermanentError when the address cannot be listened on.
    """
    certificate = _certificate(settings)
    names = registry_names(settings)
    backends = [_backend(one, names) for one in settings.backends]
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.database.url))
        worker, given = _compose(settings, store, backends)
        chores = [*(backend.run() for backend in backends), _prune(store, settings)]
        if certificate:
            chores.append(certificate.follow())
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(chore) for chore in chores]
        async with _sites(given, settings, certificate) as url:
            working = group.create_task(worker.run(), name="worker")
            _announce(url, settings, given.tokens())
            await _stop_signal()
            log.info("stopping: nothing more is accepted, what is claimed is finished or returned")
        worker.stop()
        await working
        for task in tasks:
            task.cancel()
    log.info("stopped")


def _compose(settings: Settings, store: SqlStore, backends: Sequence[Backend]) -> tuple[Worker, Collaborators]:
    """Make the worker, and what the web room is given, over one store and the same backends."""
    names, metrics = registry_names(settings), Metrics()
    tokens = Tokens(settings.tokens, settings.tokens_file)
    api_tokens = Tokens(settings.api_tokens, settings.api_tokens_file)
    planner = Planner(backends=backends, history=store, names=names, settle_seconds=settings.settle_seconds)
    applier = Applier(backends={backend.name: backend for backend in backends}, planner=planner)
    worker = Worker(store=store, applier=applier, metrics=metrics, options=_worker_options(settings), now=utc_now)
    given = Collaborators(
        receiver=RECEIVERS["distribution"],
        store=store,
        history=store,
        planner=planner,
        backends=backends,
        names=names,
        metrics=metrics,
        wake=worker.wake,
        now=utc_now,
        tokens=tokens,
        api_tokens=lambda: api_tokens() or tokens(),
        max_body_bytes=settings.max_body_bytes,
        serve_metrics=settings.metrics_listen is None,
    )
    return worker, given


@asynccontextmanager
async def planner_for(settings: Settings, *, timeout_seconds: float = SYNC_SECONDS) -> AsyncIterator[Planner]:
    """Yield a planner over the backends, once they have read their lists, and over the history if there is one.

    Raises:
        BackendUnavailable: a backend could not read its list in time; the message says which and why.
    """
    names = registry_names(settings)
    backends = [_backend(_looking(one), names) for one in settings.backends]
    async with AsyncExitStack() as stack:
        history = None
        path = settings.database.sqlite_path
        if path is None or path.exists():  # a dry run needs no database
            history = await stack.enter_async_context(open_history(settings.database.url))
        tasks = [asyncio.create_task(backend.run()) for backend in backends]
        try:
            await _synced(backends, tasks, timeout_seconds)
            yield Planner(backends=backends, history=history, names=names, settle_seconds=settings.settle_seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def history_for(settings: Settings) -> AsyncIterator[History]:
    """Yield the history for reading only, while a daemon may be writing it.

    Raises:
        NotFound: no daemon has made the database yet.
    """
    path = settings.database.sqlite_path
    if path is not None and not path.exists():
        raise NotFound(f"there is no history at {path} yet; name the daemon's database, or ask it with --url")
    async with open_history(settings.database.url) as history:
        yield history


def registry_names(settings: Settings) -> RegistryNames:
    """Return the alias table of the settings."""
    return RegistryNames({registry.name: registry.aliases for registry in settings.registries})


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def _looking(settings: KubernetesSettings | ManifestsSettings) -> KubernetesSettings | ManifestsSettings:
    """Return the settings of a backend that is only asked: files are read as they are, nothing is pulled or pushed."""
    return settings.model_copy(update={"git": None}) if isinstance(settings, ManifestsSettings) else settings


def _backend(settings: KubernetesSettings | ManifestsSettings, names: RegistryNames) -> Backend:
    """Make the backend that a section of the settings describes."""
    match settings:
        case KubernetesSettings():
            return _kubernetes(settings, names)
        case ManifestsSettings():
            return _manifests(settings, names)


def _kubernetes(settings: KubernetesSettings, names: RegistryNames) -> Backend:
    # imported here, since the client library costs every other use 0.3 s and 20 MB
    from argoos.backends.kubernetes.backend import KubernetesBackend
    from argoos.backends.kubernetes.options import KubernetesOptions, Namespaces

    options = KubernetesOptions(
        kubeconfig=str(settings.kubeconfig) if settings.kubeconfig else None,
        context=settings.context,
        in_cluster=bool(settings.in_cluster),
        master=settings.master,
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        token_file=settings.token_file,
        skip_ssl_verification=settings.skip_ssl_verification,
        namespaces=Namespaces(allow=tuple(settings.namespaces.allow), deny=tuple(settings.namespaces.deny)),
        kinds=tuple(settings.kinds),
        parallel=settings.parallel,
    )
    return KubernetesBackend(name=settings.name, options=options, names=names)


def _manifests(settings: ManifestsSettings, names: RegistryNames) -> Backend:
    # imported here, since it costs every other use 0.1 s
    from argoos.backends.manifests.backend import ManifestsBackend
    from argoos.backends.manifests.options import GitOptions, ManifestsOptions

    git = settings.git
    options = ManifestsOptions(
        path=settings.path,
        git=GitOptions(**git.model_dump()) if git else None,
        rescan_seconds=settings.rescan_seconds,
    )
    return ManifestsBackend(name=settings.name, options=options, names=names)


def _worker_options(settings: Settings) -> WorkerOptions:
    return WorkerOptions(
        parallel=settings.parallel,
        lease_seconds=settings.lease_seconds,
        give_up_seconds=settings.give_up_seconds,
        shutdown_seconds=max(0.1, settings.shutdown_seconds - ANSWER_SECONDS),
    )


def _certificate(settings: Settings) -> Certificate | None:
    if settings.server_cert is None or settings.server_key is None:
        return None
    return Certificate(settings.server_cert, settings.server_key)


@asynccontextmanager
async def _sites(given: Collaborators, settings: Settings, certificate: Certificate | None) -> AsyncIterator[str]:
    """Serve everything, the metrics on their own address if they have one; yield the main URL."""

    def listening(address: Address) -> Listening:
        tls = certificate.context if certificate else None
        return Listening(host=address.host, port=address.port, tls=tls, grace_seconds=ANSWER_SECONDS)

    async with AsyncExitStack() as stack:
        if settings.metrics_listen:
            await stack.enter_async_context(serve_site(metrics_site(given), listening(settings.metrics_listen)))
        yield await stack.enter_async_context(serve_site(site(given), listening(settings.listen)))


def _announce(url: str, settings: Settings, tokens: Sequence[str]) -> None:
    log.info(
        "argoos serves",
        version=__version__,
        url=url,
        database=str(settings.database),
        backends=[backend.name for backend in settings.backends],
    )
    if any("replace-me" in token for token in tokens):
        log.warning("the token is the example of the documentation, which everybody knows; replace it")
    if not tokens:
        log.warning(
            "no token is set: whoever reaches this address may roll out images and read what runs; "
            "set tokens or tokens_file"
        )


async def _stop_signal() -> None:
    """Wait for SIGTERM or SIGINT; a second one ends the process at once, as if it had no handler."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await stopping.wait()
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _prune(store: Store, settings: Settings) -> None:
    """Keep the history as short as the settings say."""
    while True:
        now = utc_now()
        try:
            deleted = await store.prune(
                settled_before=now - timedelta(days=settings.retention_days),
                ignored_before=now - timedelta(hours=settings.ignored_retention_hours),
                limit=PRUNE_BATCH,
            )
        except StoreUnavailable:
            deleted = 0  # whoever needs the store says so loudly enough
        await asyncio.sleep(0.1 if deleted == PRUNE_BATCH else PRUNE_SECONDS)


async def _synced(backends: Sequence[Backend], tasks: Sequence[asyncio.Task[None]], timeout_seconds: float) -> None:
    """Wait until every backend has read its list; raise what ended the task of one that has failed."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while not all(backend.status().synced for backend in backends):
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        late = {backend.name: backend.status() for backend in backends if not backend.status().synced}
        waiting = "; ".join(f"{name}: {status.detail or 'its list is not complete'}" for name, status in late.items())
        raise BackendUnavailable(f"after {timeout_seconds:g} s still waiting for {waiting}") from error
