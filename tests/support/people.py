"""Who works on a repository, as a test says: one set of names for all of them."""

from dataclasses import dataclass, field

from shared.service import Service


@dataclass
class FakePeople:
    """Implements `shared.ports.Collaborators`."""

    collaborators: frozenset[str] = frozenset({"nora"})
    checked_people: list[str] = field(default_factory=list)

    def has_write_access(self, service: Service, user: str) -> bool:
        self.checked_people.append(f"{service.repository}: {user}")
        return user in self.collaborators
