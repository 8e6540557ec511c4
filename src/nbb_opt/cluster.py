"""Parts of work sent to a Dask cluster. Dask runs them again elsewhere when a worker dies; nothing here does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from nbb_opt import __version__
from nbb_opt.errors import NbbError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
CONNECT_S = 30


class ClusterError(NbbError):
    """The cluster cannot be reached or did not finish the work."""

    exit_code = 4


@dataclass(frozen=True)
class Cluster:
    """A connection; `each` is what `instance.read_instance` takes. An item may be one of `kept`."""

    client: Any

    @property
    def workers(self) -> int:
        """How many workers there are now, at least one."""
        return max(1, len(self.client.scheduler_info(n_workers=-1)["workers"]))

    @contextmanager
    def kept(self, items: Iterable[Any]) -> Iterator[list[Any]]:
        """The items, kept by the workers: to be given to `each`, any number of times.

        The scheduler keeps a copy, from which another worker gets what a dying one held.
        """
        futures = [self.client.submit(_same, item, pure=False, retries=2) for item in items]
        try:
            yield futures
        finally:
            self.client.cancel(futures, force=True)

    def each(self, work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
        """The answers for all items in their order. Workers must see the files at the same paths.

        Raises InstanceError with what a worker found wrong in the data, ClusterError if the work could not be done.
        """
        from distributed import CancelledError, KilledWorker

        versions = self.client.run(_version)
        if strange := {name: found for name, found in versions.items() if found != __version__}:
            raise ClusterError(f"workers run another version than {__version__}: {strange}; install the same one")
        futures = [self.client.submit(work, item, pure=False, retries=2) for item in items]
        try:
            for number, future in enumerate(futures):
                try:
                    answer = future.result()
                except KilledWorker as error:
                    raise ClusterError(f"part {number} ended several workers: give them more memory") from error
                except (CancelledError, OSError, RuntimeError) as error:
                    raise ClusterError(f"part {number} was not done: {type(error).__name__}: {error}") from error
                yield answer
                future.release()
        finally:
            self.client.cancel(futures, force=True)


def _same(item: Item) -> Item:
    return item


def _version() -> str:
    return __version__


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """A connection to the scheduler at `address`, such as tcp://host:8786. Raises ClusterError if there is none."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError("a cluster needs dask distributed: pip install 'nbb-opt[cluster]'") from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from error
    try:
        yield Cluster(client)
    finally:
        client.close()
