"""Fixtures of the store's tests: a PostgreSQL server for the session, and a fresh database for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from paybylink.drivers.doors import Doors, Vault
from paybylink.drivers.run import run
from paybylink.flow import Flow

from .store_places import WAYS, Place, find_postgres, fresh_place, make_tables_in, vault_in

T = TypeVar("T")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """The address of a server; it is looked for when the first test asks."""
    found: list[tuple[str, Callable[[], None]]] = []

    def url() -> str:
        if not found:
            found.append(find_postgres(tmp_path_factory.mktemp("postgres")))
        return found[0][0]

    yield url
    for _, stop in found:
        stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_place(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Callable[[], str]
) -> Iterator[Place]:
    """A database without any table, of each kind."""
    with fresh_place(request.param, tmp_path, postgres) as place:
        yield place


@pytest.fixture
def place(empty_place: Place) -> Place:
    """A database with our tables, of each kind."""
    make_tables_in(empty_place)
    return empty_place


@pytest.fixture
def sqlite_place(tmp_path: Path, postgres: Callable[[], str]) -> Iterator[Place]:
    """A SQLite file with our tables."""
    with fresh_place("sqlite", tmp_path, postgres) as place:
        make_tables_in(place)
        yield place


@pytest.fixture(params=WAYS)
def vault(request: pytest.FixtureRequest, tmp_path: Path, postgres: Callable[[], str]) -> Iterator[Vault]:
    """Every way of performing batches, on every database."""
    database, way = request.param.split("-")
    with fresh_place(database, tmp_path, postgres) as place:
        make_tables_in(place)
        with vault_in(place, way) as vault:
            yield vault


@pytest.fixture
def do(vault: Vault) -> Callable[[Flow[T]], T]:
    """Drive a flow on `vault`."""
    doors = Doors(vault=vault)

    def drive(flow: Flow[T]) -> T:
        return run(flow, doors)

    return drive
