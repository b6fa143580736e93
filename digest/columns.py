"""The column types of the tables, and the columns that many of them have."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, Column, DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

from digest.nouns import Segment, SegmentRole


class Instant(TypeDecorator[datetime]):
    """An aware time, kept in UTC. SQLite forgets zones, so the zone is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """An enumeration stored as its word."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__(40)
        self.words = words

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Doc(TypeDecorator[BaseModel]):
    """A pydantic document stored as JSON."""

    impl = JSON
    cache_ok = True

    def __init__(self, shape: type[BaseModel]) -> None:
        super().__init__()
        self.shape = shape

    def process_bind_param(self, value: BaseModel | None, dialect: Dialect) -> Any:
        return None if value is None else value.model_dump(mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> BaseModel | None:
        return None if value is None else self.shape.model_validate(value)


class Segments(TypeDecorator[list[Segment]]):
    """Segments stored as a JSON list of [start, end, role]."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: list[Segment] | None, dialect: Dialect) -> Any:
        return None if value is None else [[s.start, s.end, s.role.value] for s in value]

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Segment] | None:
        return None if value is None else [Segment(start, end, SegmentRole(role)) for start, end, role in value]


def instant(index: bool = False, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Instant, nullable=nullable, index=index))


def word(words: type[StrEnum], default: StrEnum, index: bool = False) -> Any:
    return Field(default=default, sa_column=Column(Word(words), nullable=False, index=index))


def json(default: type[list[Any]] | type[dict[str, Any]]) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def community() -> Any:
    return Field(foreign_key="community.id", index=True)


def key() -> Any:
    return Field(default=None, primary_key=True)
