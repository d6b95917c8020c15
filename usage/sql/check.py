"""Reading an admin's SQL: parsed, held against what is allowed, and written anew from what was understood.

The server never sees the admin's text. It gets the text that the checked tree is written as, which, parsed again, is the
same tree: nothing that the check did not look at can reach it. Tables are rewritten to the views of the schema `query`,
and words for now to the day that is scored, so that a metric means the same whenever it is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.fence.querying import QUERY_SCHEMA

from .allowed import DAY_WORDS, FUNCTIONS, MAX_CHARACTERS, NODES, OPERATORS, TIME_WORDS, TYPES
from .views import BY_NAME, COLUMNS, VIEWS

SYSTEM = "pg_catalog"


@dataclass(frozen=True)
class SqlProblem:
    """What is wrong, in the reader's language, and where: line and column from 1, None for the statement as a whole."""

    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        where = {"line": self.line, "column": self.column, "problem": self.message}
        return _("Line %(line)d, column %(column)d: %(problem)s") % where


class SqlRefused(ValueError):
    """SQL that is not run: every reason."""

    def __init__(self, problems: Sequence[SqlProblem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Statement:
    """A statement that may be run: the text that is sent."""

    sql: str


def views_in_words() -> str:
    """The views there are, for messages."""
    return ", ".join(view.name for view in VIEWS)


def read_sql(text: str, day: date, moment: datetime) -> Statement:
    """The statement that a text stands for, as of a day; raises `SqlRefused` with every fault."""
    from pglast import ast, parse_sql
    from pglast.parser import ParseError
    from pglast.stream import RawStream

    if not text.strip():
        raise SqlRefused([SqlProblem(_("Write a SELECT with two columns: account_id and a number."))])
    if len(text) > MAX_CHARACTERS or "\0" in text:
        raise SqlRefused(
            [SqlProblem(_("A query may have at most %(most)d characters.") % {"most": MAX_CHARACTERS})]
        )
    try:
        statements = parse_sql(text)
        if len(statements) != 1 or not isinstance(statements[0].stmt, ast.SelectStmt):
            raise SqlRefused([SqlProblem(_("Write exactly one SELECT; nothing else may be run."))])
        tree = statements[0].stmt
        checker = _Checker(text, tree)
        checker.look(tree)
        checker.look_at_result(tree)
        if checker.problems:
            raise SqlRefused(checker.problems)
        _rewrite(tree, day, moment, checker.names)
        sql = RawStream()(tree)
        again = parse_sql(sql)
    except ParseError as error:
        raise SqlRefused([_syntax(text, error)]) from error
    except RecursionError as error:
        raise SqlRefused([SqlProblem(_("The query is nested too deeply."))]) from error
    if len(again) != 1 or again[0].stmt != tree:
        raise SqlRefused(
            [SqlProblem(_("The query cannot be written down safely; write it in a simpler way."))]
        )
    return Statement(sql)


def _syntax(text: str, error: Any) -> SqlProblem:
    message = str(error.args[0]) if error.args else str(error)
    place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else None
    words = _("This is not SQL: %(problem)s.") % {"problem": message}
    return _at(text, place, words)


def _at(text: str, place: int | None, words: str) -> SqlProblem:
    if place is None or not 0 <= place <= len(text):
        return SqlProblem(words)
    before = text[:place]
    return SqlProblem(words, before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1)


def children(node: Any) -> Iterator[Any]:
    """Every node directly below one."""
    for name in node:
        value = getattr(node, name)
        yield from _nodes(value)


def _nodes(value: Any) -> Iterator[Any]:
    from pglast import ast

    if isinstance(value, ast.Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def every_node(node: Any) -> Iterator[Any]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from every_node(child)


class _Checker:
    """Looks at every node of a statement; what it does not know it refuses."""

    def __init__(self, text: str, tree: Any) -> None:
        self.text = text
        self.problems: list[SqlProblem] = []
        # Names that the statement makes itself: WITH queries, and columns by AS or by a list behind an alias.
        nodes = list(every_node(tree))
        self.names = {node.ctename for node in nodes if _is(node, "CommonTableExpr")}
        self.columns = set(COLUMNS)
        self.columns |= {node.name for node in nodes if _is(node, "ResTarget") and node.name}
        for node in nodes:
            listed = (
                getattr(node, "colnames", None)
                if _is(node, "Alias")
                else getattr(node, "aliascolnames", None)
            )
            self.columns |= {item.sval for item in listed or ()}

    def refuse(self, node: Any, words: str) -> None:
        """Note a fault at a node."""
        place = getattr(node, "location", None)
        # The parser counts bytes, people count characters.
        if isinstance(place, int) and place >= 0:
            place = len(self.text.encode()[:place].decode(errors="ignore"))
            self.problems.append(_at(self.text, place, words))
        else:
            self.problems.append(SqlProblem(words))

    def look(self, node: Any) -> None:
        """This node and all below it."""
        kind = type(node).__name__
        if kind not in NODES:
            self.refuse(node, _("This part of SQL cannot be used here (%(part)s).") % {"part": kind})
            return
        rule = getattr(self, f"look_{kind}", None)
        if rule is not None:
            rule(node)
        for child in children(node):
            self.look(child)

    def look_at_result(self, tree: Any) -> None:
        """Two columns, both written out."""
        first = tree
        while first.larg is not None:  # UNION: the first SELECT names the columns
            first = first.larg
        columns = first.targetList or ()
        if len(columns) != 2 or any(_is_star(column.val) for column in columns):
            self.refuse(first, _("The result must have exactly two columns: account_id and a number."))

    def look_SelectStmt(self, node: Any) -> None:
        if node.intoClause is not None:
            self.refuse(node, _("SELECT INTO would write; leave INTO out."))
        if node.lockingClause:
            self.refuse(node, _("FOR UPDATE and FOR SHARE lock rows; leave them out."))

    def look_WithClause(self, node: Any) -> None:
        if node.recursive:
            self.refuse(node, _("WITH RECURSIVE cannot be used; it could run without end."))

    def look_CommonTableExpr(self, node: Any) -> None:
        if not _is(node.ctequery, "SelectStmt"):
            self.refuse(node, _("Only SELECT may stand in WITH."))
        if node.ctename in BY_NAME:
            self.refuse(
                node, _("“%(name)s” is the name of a view; choose another one.") % {"name": node.ctename}
            )

    def look_RangeVar(self, node: Any) -> None:
        if node.catalogname or node.schemaname:
            words = _("Write the view without a schema. There are: %(views)s.")
            self.refuse(node, words % {"views": views_in_words()})
        elif node.relname not in BY_NAME and node.relname not in self.names:
            words = _("There is no view “%(name)s”. There are: %(views)s.")
            self.refuse(node, words % {"name": node.relname, "views": views_in_words()})

    def look_ColumnRef(self, node: Any) -> None:
        # A name that is no column could be a function in disguise: `a.f` calls f(a).
        last = node.fields[-1]
        if not _is(last, "A_Star") and last.sval not in self.columns:
            words = _("There is no column “%(name)s”. %(views)s")
            known = "; ".join(
                f"{view.name}: {', '.join(view.columns)}" for view in VIEWS if self._used(view.name)
            )
            self.refuse(node, words % {"name": last.sval, "views": f"{known}." if known else ""})
        if len(node.fields) > 2:
            self.refuse(node, _("Write a column as name or as view.name."))

    def _used(self, name: str) -> bool:
        return name in self.text

    def look_FuncCall(self, node: Any) -> None:
        names = [part.sval for part in node.funcname]
        if names[0] == SYSTEM and len(names) == 2:
            names = names[1:]
        if len(names) != 1 or names[0] not in FUNCTIONS or node.func_variadic:
            words = _("The function %(name)s cannot be used here. There are: %(functions)s.")
            known = ", ".join(sorted(FUNCTIONS))
            self.refuse(node, words % {"name": ".".join(names), "functions": known})

    def look_A_Expr(self, node: Any) -> None:
        names = [part.sval for part in node.name]
        if len(names) != 1 or names[0] not in OPERATORS:
            words = _("The operator %(name)s cannot be used here.")
            self.refuse(node, words % {"name": ".".join(names)})

    def look_TypeName(self, node: Any) -> None:
        names = [part.sval for part in node.names or ()]
        if names and names[0] == SYSTEM:
            names = names[1:]
        if len(names) != 1 or names[0] not in TYPES or node.setof or node.pct_type:
            words = _("The type %(name)s cannot be used here. There are: %(types)s.")
            known = ", ".join(sorted(TYPES))
            self.refuse(node, words % {"name": ".".join(names), "types": known})

    def look_SQLValueFunction(self, node: Any) -> None:
        if node.op.name not in (*DAY_WORDS, *TIME_WORDS):
            self.refuse(
                node, _("Only CURRENT_DATE, CURRENT_TIMESTAMP and now() can be used for today and now.")
            )


def _is(node: Any, kind: str) -> bool:
    return type(node).__name__ == kind


def _is_star(node: Any) -> bool:
    return _is(node, "ColumnRef") and _is(node.fields[-1], "A_Star")


def _rewrite(node: Any, day: date, moment: datetime, own: set[str]) -> None:
    """Point tables at the published views, and put the day and its moment in the place of the words for now."""
    if _is(node, "RangeVar") and node.relname not in own:
        node.schemaname = QUERY_SCHEMA
    for name in node:
        value = getattr(node, name)
        changed = _replaced(value, day, moment)
        if changed is not value:
            setattr(node, name, changed)
        for child in _nodes(changed):
            _rewrite(child, day, moment, own)


def _replaced(value: Any, day: date, moment: datetime) -> Any:
    if isinstance(value, tuple):
        changed = tuple(_replaced(item, day, moment) for item in value)
        return changed if any(a is not b for a, b in zip(changed, value, strict=True)) else value
    if _is(value, "SQLValueFunction"):
        return _day(day) if value.op.name in DAY_WORDS else _time(moment)
    if _is(value, "FuncCall") and value.funcname[-1].sval == "now":
        return _time(moment)
    return value


def _day(day: date) -> Any:
    return _constant(day.isoformat(), "date")


def _time(moment: datetime) -> Any:
    return _constant(moment.isoformat(), "timestamptz")


def _constant(text: str, kind: str) -> Any:
    from pglast import ast

    return ast.TypeCast(
        arg=ast.A_Const(isnull=False, val=ast.String(text)),
        typeName=ast.TypeName(
            names=(ast.String(SYSTEM), ast.String(kind)), setof=False, pct_type=False, typemod=-1
        ),
    )
