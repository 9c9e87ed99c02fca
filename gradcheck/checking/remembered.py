"""Examples that failed, kept in a database of Hypothesis until they pass.

``gradcheck explore`` writes them, and the next run of pytest tries them first.
"""

from collections.abc import Iterable, Mapping

from hypothesis.database import ExampleDatabase


class Remembered(ExampleDatabase):
    """What a database holds of one node.

    Hypothesis' own key is a digest of the test's code, which all checks share; here it is the
    node's name, and the sizes that were held. Only the smallest examples are kept.
    """

    def __init__(self, database: ExampleDatabase, node: str, sizes: Mapping[str, int]) -> None:
        super().__init__()
        held = [f"{name}={size}" for name, size in sorted(sizes.items())]
        self._database, self._key = database, " ".join([node, *held]).encode()

    @property
    def examples(self) -> tuple[bytes, ...]:
        """The draws of each example, as Hypothesis writes them."""
        return tuple(self._database.fetch(self._key))

    def add(self, example: bytes) -> None:
        self._database.save(self._key, example)

    def save(self, key: bytes, value: bytes) -> None:
        if _of_the_smallest(key):
            self._database.save(self._key, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return self._database.fetch(self._key) if _of_the_smallest(key) else ()

    def delete(self, key: bytes, value: bytes) -> None:
        if _of_the_smallest(key):
            self._database.delete(self._key, value)


def _of_the_smallest(key: bytes) -> bool:
    """Whether it is no key of those that were larger, or best at something."""
    return not key.endswith((b".secondary", b".pareto"))
