"""An outage: told by each part that meets it, and once when all of them are served again."""

from __future__ import annotations

from flows.telemetry.outage import Outage


def test_an_outage_is_told_once() -> None:
    """However often its parts are not served: each tells once a minute, and the end is told when all are served."""
    told: list[tuple[str, dict[str, object]]] = []
    now = 0.0
    outage = Outage(lambda name, **fields: told.append((name, fields)), lambda: now)
    outage.over("rescuer")
    assert told == []
    for _ in range(3):
        outage.met("work", ConnectionError("away"), queue="work")
        outage.met("rescuer", ConnectionError("away"))
        now += 1
    away = {"error": "away"}
    assert told == [("store.unavailable", {"queue": "work", **away}), ("store.unavailable", away)]
    now += 60
    outage.met("work", ConnectionError("away"), queue="work")
    assert len(told) == 3
    outage.over("work")
    assert len(told) == 3
    assert "rescuer" in outage
    outage.over("rescuer")
    outage.over("rescuer")
    assert told[3:] == [("store.available", {"seconds": 63.0})]


def test_an_outage_is_forgotten_with_its_parts() -> None:
    """What met an outage and has stopped keeps nobody from hearing of the end of the next one."""
    told: list[str] = []
    outage = Outage(lambda name, **_fields: told.append(name))
    outage.met("work", ConnectionError("away"))
    outage.forget()
    outage.met("rescuer", ConnectionError("away"))
    outage.over("rescuer")
    assert told == ["store.unavailable", "store.unavailable", "store.available"]
    for part in ("work", "rescuer"):
        outage.met(part, ConnectionError("away"))
    outage.forget("work")
    outage.over("rescuer")
    assert told[3:] == ["store.unavailable", "store.unavailable", "store.available"]
