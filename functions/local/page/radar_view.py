"""What the store knows of merged fixes that are not deployed: a read for each watched service in, rows out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import Reject
from shared.ports import Store
from shared.service import Service
from shared.workflow.records.radars import RADARS, Radar


@dataclass(frozen=True, slots=True)
class RadarRow:
    """One service. `radar` is None before the first look, and where it cannot be read."""

    name: str
    branch: str
    is_on: bool
    radar: Radar | None


@dataclass(frozen=True, slots=True)
class RadarList:
    """Services in the order of their names; those with something to deploy first."""

    rows: Sequence[RadarRow]
    etag: str


def read_radars(store: Store, services: Mapping[str, Service]) -> RadarList:
    """Raises Retry."""
    rows, versions = [], []
    for key, service in sorted(services.items()):
        stored = store.read(RADARS.kind, key)
        versions.append(f"{key} {stored.version if stored is not None else ''}")
        radar = _decode(stored.value) if stored is not None else None
        seen = radar if radar is not None and radar.looked_at is not None else None
        rows.append(RadarRow(service.name, service.branch, service.radar and not service.is_read_only, seen))
    rows.sort(key=lambda row: row.radar is None or not row.radar.entries)
    return RadarList(rows, hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16])


def _decode(value: Mapping[str, object]) -> Radar | None:
    """None for a document that is no radar: one of them must not hide the others."""
    try:
        return RADARS.decode(value)
    except Reject:
        return None
