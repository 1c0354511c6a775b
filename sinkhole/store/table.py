"""Write a table as a class of its columns, for SQLAlchemy's core: nothing here needs its ORM.

Rows are read and written by statements alone. To load and set up the ORM would cost each command 0.1 s.
"""

from typing import Any, ClassVar, TypeVar

from sqlalchemy import Column, ColumnElement, MetaData, Table
from sqlalchemy.types import TypeEngine

_T = TypeVar("_T")


class _TableClass(type):
    """Lets a class stand for its table in a statement: `insert(Word)`."""

    __table__: Table

    def __clause_element__(cls) -> Table:
        return cls.__table__


class Base(metaclass=_TableClass):
    """Root of the tables: a class gives its columns; `__table_args__` are constraints and options of SQLAlchemy."""

    metadata: ClassVar[MetaData] = MetaData()
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(cls) -> None:
        columns = [_named(name, one) for name, one in vars(cls).items() if isinstance(one, Column)]
        rest = [one for one in cls.__table_args__ if not isinstance(one, dict)]
        options = {key: value for one in cls.__table_args__ if isinstance(one, dict) for key, value in one.items()}
        cls.__table__ = Table(cls.__tablename__, Base.metadata, *columns, *rest, **options)


def column(kind: TypeEngine[_T] | type[TypeEngine[_T]], *constraints: Any, **options: Any) -> ColumnElement[_T]:
    """Return a column that always holds a value; its name is that of the attribute."""
    return Column(kind, *constraints, nullable=False, **options)


def optional(
    kind: TypeEngine[_T] | type[TypeEngine[_T]], *constraints: Any, **options: Any
) -> ColumnElement[_T | None]:
    """Return a column that may hold none."""
    found: Column[Any] = Column(kind, *constraints, nullable=True, **options)
    return found


def _named(name: str, one: Column[Any]) -> Column[Any]:
    one.key = one.name = name
    return one
