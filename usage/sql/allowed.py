"""What an admin's SQL may be made of. Everything that is not here is refused."""

from __future__ import annotations

# Kinds of nodes of the parsed statement, beside the values in them.
NODES = frozenset(
    {
        "A_ArrayExpr",
        "A_Const",
        "A_Expr",
        "A_Star",
        "Alias",
        "BoolExpr",
        "Boolean",
        "BooleanTest",
        "CaseExpr",
        "CaseWhen",
        "CoalesceExpr",
        "ColumnRef",
        "CommonTableExpr",
        "Float",
        "FuncCall",
        "GroupingSet",
        "Integer",
        "JoinExpr",
        "MinMaxExpr",
        "NullTest",
        "RangeSubselect",
        "RangeVar",
        "ResTarget",
        "SQLValueFunction",
        "SelectStmt",
        "SortBy",
        "String",
        "SubLink",
        "TypeCast",
        "TypeName",
        "WindowDef",
        "WithClause",
    }
)
FUNCTIONS = frozenset(
    {
        # counting and adding up
        "avg", "bool_and", "bool_or", "count", "max", "min", "mode", "percentile_cont", "percentile_disc", "stddev",
        "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance",
        # one row beside others
        "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "ntile", "percent_rank", "rank", "row_number",
        # numbers
        "abs", "ceil", "ceiling", "exp", "floor", "greatest", "least", "ln", "log", "mod", "power", "round", "sign", "sqrt",
        "trunc", "width_bucket",
        # texts
        "btrim", "char_length", "length", "lower", "ltrim", "position", "replace", "rtrim", "split_part", "starts_with",
        "strpos", "substring", "upper",
        # days and times
        "age", "date_part", "date_trunc", "extract", "make_date", "now", "timezone",
        # lists and custom fields
        "array_length", "array_position", "cardinality", "jsonb_array_length", "jsonb_typeof",
    }
)  # fmt: skip
OPERATORS = frozenset(
    {"+", "-", "*", "/", "%", "=", "<>", "!=", "<", "<=", ">", ">=", "||", "->", "->>", "?", "@>", "&&", "~~", "!~~", "~~*",
     "!~~*", "BETWEEN", "NOT BETWEEN"}
)  # fmt: skip
TYPES = frozenset(
    {"bool", "boolean", "int2", "int4", "int8", "smallint", "integer", "int", "bigint", "numeric", "decimal", "float4",
     "float8", "real", "text", "varchar", "date", "timestamp", "timestamptz", "interval"}
)  # fmt: skip
# The day that is scored stands for today, and its end (or now, while it runs) for now.
DAY_WORDS = ("SVFOP_CURRENT_DATE",)
TIME_WORDS = ("SVFOP_CURRENT_TIMESTAMP",)
MAX_CHARACTERS = 10_000
