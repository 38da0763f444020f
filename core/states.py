"""State machines as data: a lifecycle is one table of (from, verb, to); code asks it, docs draw it.

The idea of a table that is both the program and its diagram is h11's (`_state.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import Refused


@dataclass(frozen=True, slots=True)
class Transition:
    source: str
    verb: str
    target: str


class Machine:
    """A lifecycle. `next` answers where a verb leads, or raises `Refused` naming both."""

    def __init__(self, name: str, initial: str, transitions: Iterable[tuple[str | Iterable[str], str, str]]):
        self.name = name
        self.initial = initial
        self._next: dict[tuple[str, str], str] = {}
        for sources, verb, target in transitions:
            for source in [sources] if isinstance(sources, str) else sources:
                if (source, verb) in self._next:
                    raise ValueError(f"{name}: {verb} from {source} is given twice")
                self._next[source, verb] = target
        self.states = frozenset({initial} | {s for s, _ in self._next} | set(self._next.values()))
        self.final = self.states - {source for source, _ in self._next}

    def next(self, state: str, verb: str) -> str:
        """The state that `verb` leads to from `state`. Raises Refused where the table has no such row."""
        try:
            return self._next[state, verb]
        except KeyError:
            raise Refused(
                "This can't be done now: the {thing} is “{state}”.", thing=self.name, state=state, verb=verb
            ) from None

    def allows(self, state: str, verb: str) -> bool:
        return (state, verb) in self._next

    def verbs(self, state: str) -> list[str]:
        """What can be done from `state`, in the table's order."""
        return [verb for source, verb in self._next if source == state]

    @property
    def transitions(self) -> list[Transition]:
        return [Transition(source, verb, target) for (source, verb), target in self._next.items()]

    def diagram(self) -> str:
        """Mermaid source of the table."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [f"    {t.source} --> {t.target}: {t.verb}" for t in self.transitions]
        lines += [f"    {state} --> [*]" for state in sorted(self.final)]
        return "\n".join(lines)
