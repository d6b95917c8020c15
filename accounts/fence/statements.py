"""Where a statement reads, changes or deletes rows of given tables, as PostgreSQL's own parser sees it.

Pure: text in, a template out. A template is the statement cut at the places where a condition belongs; what stands between
is the text as it was, so its parameters stay where they are. What takes no condition is refused, never let through.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson


class Unnarrowable(RuntimeError):
    """A statement of somebody who sees only some accounts that cannot be kept to them."""


@dataclass(frozen=True)
class Condition:
    """A place of the template: which rows of the table may be met; its columns are written behind the prefix."""

    table: str
    prefix: str = ""


Template = tuple[bytes | Condition, ...]
Edit = tuple[int, int, tuple[bytes | Condition, ...]]

# Where a table is read.
READ = frozenset({"fromClause", "usingClause", "sourceRelation", "larg", "rarg"})
CHANGED = frozenset({"UpdateStmt", "DeleteStmt"})
# Where the name of a table lets nobody see a row of it.
HARMLESS = frozenset(
    {("InsertStmt", "relation"), ("LockingClause", "lockedRels"), ("TableLikeClause", "relation")}
)
SCHEMAS = frozenset({"", "public", "pg_catalog", "information_schema", "pg_temp"})
# They run statements that nobody reads here.
CLOSED_STATEMENTS = frozenset(
    {"DoStmt", "CallStmt", "CreateFunctionStmt", "RuleStmt", "ViewStmt", "CreateTrigStmt"}
)
CLOSED_FUNCTIONS = frozenset(
    {"query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema", "table_to_xml", "table_to_xml_and_xmlschema",
     "cursor_to_xml", "schema_to_xml", "schema_to_xml_and_xmlschema", "database_to_xml", "database_to_xml_and_xmlschema",
     "ts_stat", "ts_rewrite", "dblink", "dblink_exec", "dblink_open", "dblink_send_query"}
)  # fmt: skip
# A parameter becomes an empty text of the same length, which may stand wherever a value may, so places stay the same.
_PARAMETER = re.compile(rb"%%|%(?:\([^)]*\))?s")
_FOREIGN = re.compile(rb"[\x80-\xff]")
_NAME = re.compile(rb'"(?:[^"]|"")+"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*')
_DOT = re.compile(rb"\s*\.\s*")
_COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})


def template_of(statement: bytes, tables: Collection[str], *, with_values: bool) -> Template:
    """The statement with the places of the conditions on these tables; raises `Unnarrowable`."""
    from pglast.parser import ParseError, parse_sql_json

    if b"\0" in statement:
        raise Unnarrowable("It contains NUL, behind which the parser would not look.")
    text = _PARAMETER.sub(_as_value, statement) if with_values else statement
    # Letters of other alphabets are letters to the scanner; as one byte each they leave all places alone.
    plain = _FOREIGN.sub(b"x", text).decode("ascii")
    try:
        tree = orjson.loads(parse_sql_json(plain))
    except ParseError as error:
        raise Unnarrowable(f"The parser of PostgreSQL does not understand it: {error}") from error
    edits = list(_Look(statement, plain, frozenset(tables)).edits(tree))
    edits.sort(key=lambda edit: edit[:2])
    pieces: list[bytes | Condition] = []
    done = 0
    for start, end, put in edits:
        pieces += [statement[done:start], *put]
        done = end
    return tuple(_joined([*pieces, statement[done:]]))


def _as_value(found: re.Match[bytes]) -> bytes:
    return found[0] if found[0] == b"%%" else b"''".ljust(len(found[0]))


def _joined(pieces: list[bytes | Condition]) -> Iterator[bytes | Condition]:
    """Neighbouring texts as one."""
    text = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            text += piece
        else:
            yield text
            yield piece
            text = b""
    yield text


@dataclass
class _Look:
    """One look at one statement."""

    statement: bytes
    plain: str
    tables: frozenset[str]
    _tokens: list[Any] = field(default_factory=list)

    def edits(self, tree: Any) -> Iterator[Edit]:
        """What has to be put where."""
        # The kind of the node that holds this one, the name of the field it stands in, the node.
        waiting: list[tuple[str, str, Any]] = [("", "", tree)]
        while waiting:
            holder, name, node = waiting.pop()
            if isinstance(node, list):
                waiting += [(holder, name, item) for item in node]
                continue
            if not isinstance(node, dict):
                continue
            kind = next(iter(node), "")
            if len(node) == 1 and kind[:1].isupper():
                node = node[kind]
            else:
                kind = ""
            if "relname" in node:
                yield from self.table(holder, name, node)
                continue
            self.check(kind, node)
            if kind in CHANGED:
                yield from self.changed(kind, node)
            if kind == "InsertStmt":
                yield from self.overwritten(node)
            for key, value in node.items():
                if isinstance(value, (dict, list)) and not (kind in CHANGED and key == "relation"):
                    waiting.append((kind, self.field_of(kind, key, node), value))

    @staticmethod
    def field_of(kind: str, key: str, node: dict[str, Any]) -> str:
        """The name of a field; a COPY that writes names its table as harmlessly as an INSERT does."""
        return "written" if kind == "CopyStmt" and key == "relation" and node.get("is_from") else key

    def check(self, kind: str, node: dict[str, Any]) -> None:
        """Refuse what could run a statement of its own, or give a table's name to something else."""
        if kind in CLOSED_STATEMENTS:
            raise Unnarrowable(f"{kind} runs or stores statements that cannot be looked at.")
        if kind == "CommonTableExpr" and node["ctename"] in self.tables:
            raise Unnarrowable(f"WITH gives the name of the table {node['ctename']} to something else.")
        if kind == "FuncCall":
            called = node["funcname"][-1]["String"]["sval"]
            if called in CLOSED_FUNCTIONS:
                raise Unnarrowable(f"{called}() reads tables that it is told by a text.")

    def is_narrowed(self, node: dict[str, Any]) -> bool:
        """Whether a named table is one of those; refuses schemas in which another name leads to one."""
        schema = node.get("schemaname", "")
        if schema not in SCHEMAS or node.get("catalogname"):
            raise Unnarrowable(f"{schema}.{node['relname']} is in a schema that is not known.")
        return schema in ("", "public") and node["relname"] in self.tables

    def table(self, holder: str, name: str, node: dict[str, Any]) -> Iterator[Edit]:
        """A table that is named: read, harmless, or refused."""
        if not self.is_narrowed(node) or (holder, name) in HARMLESS or name == "written":
            return
        table = node["relname"]
        if name not in READ or not node.get("inh"):
            raise Unnarrowable(f"{table} stands where no condition can be put to it ({holder or name}).")
        start, end = self.place(node)
        rows = b"(SELECT * FROM " + self.statement[start:end] + b" WHERE "
        alias = b")" if "alias" in node else b') AS "' + table.encode() + b'"'
        yield start, end, (rows, Condition(table), alias)

    def changed(self, kind: str, node: dict[str, Any]) -> Iterator[Edit]:
        """The table whose rows are changed or deleted: one condition more in WHERE."""
        target = node["relation"]
        if not self.is_narrowed(target):
            return
        table = target["relname"]
        if not target.get("inh") or "CurrentOfExpr" in node.get("whereClause", {}):
            raise Unnarrowable(f"{table} is changed in a way that takes no condition.")
        start, _end = self.place(target)
        where, end = self.clauses(start)
        if (where is None) != ("whereClause" not in node):
            raise Unnarrowable(f"The WHERE of {kind} at {table} was not found.")
        yield from self.one_more(target, where, end)

    def overwritten(self, node: dict[str, Any]) -> Iterator[Edit]:
        """The row that an INSERT meets and changes instead: left as it is where it is another's."""
        target, clash = node["relation"], node.get("onConflictClause", {})
        if clash.get("action") != "ONCONFLICT_UPDATE" or not self.is_narrowed(target):
            return
        # A WHERE before DO says which index is meant.
        where, end = self.clauses(clash["location"], behind="DO")
        if (where is None) != ("whereClause" not in clash):
            raise Unnarrowable(f"The WHERE of DO UPDATE at {target['relname']} was not found.")
        yield from self.one_more(target, where, end)

    @staticmethod
    def one_more(target: dict[str, Any], where: int | None, end: int) -> Iterator[Edit]:
        """The condition on the rows of this table beside the one that is there, or alone."""
        table = target["relname"]
        called = target.get("alias", {}).get("aliasname", table).replace('"', '""')
        condition = Condition(table, f'"{called}".')
        if where is None:
            yield end, end, (b" WHERE ", condition)
        else:
            yield where, where, (b" ", condition, b" AND (")
            yield end, end, (b")",)

    def place(self, node: dict[str, Any]) -> tuple[int, int]:
        """Where the name of a table begins and ends in the statement."""
        start = end = node.get("location", 0)
        for number in range(2 if "schemaname" in node else 1):
            dot = _DOT.match(self.statement, end) if number else None
            found = _NAME.match(self.statement, dot.end() if dot else end)
            if found is None or (number and dot is None):
                raise Unnarrowable(f"The name of {node['relname']} is written in a way that is not known.")
            end, written = found.end(), found[0].decode(errors="replace")
        folded = written[1:-1] if written.startswith('"') else written.lower()
        if folded != node["relname"]:
            raise Unnarrowable(f"The name of {node['relname']} is written in a way that is not known.")
        return start, end

    def clauses(self, start: int, behind: str = "") -> tuple[int | None, int]:
        """Behind the WHERE of what begins here, the first one after the word `behind`, and where its conditions end."""
        from pglast.parser import scan

        self._tokens = self._tokens or [token for token in scan(self.plain) if token.name not in _COMMENTS]
        depth, where, end = 0, None, start
        for token in self._tokens:
            if token.start < start:
                continue
            if token.name == "ASCII_40":
                depth += 1
            elif token.name == "ASCII_41":
                depth -= 1
            if depth < 0 or (depth == 0 and token.name in ("RETURNING", "ASCII_59")):
                break
            if depth == 0 and token.name == behind:
                behind = ""
            if depth == 0 and token.name == "WHERE" and where is None and not behind:
                where = token.end + 1
            end = token.end + 1
        return where, end
