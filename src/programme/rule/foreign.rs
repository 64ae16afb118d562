//! What SQL has and rules do not: how it is called in a refusal, and what to write instead.

use sqlparser::ast;
use sqlparser::tokenizer::Token;

/// What to write instead of a token.
pub(super) fn token(token: &Token) -> Option<&'static str> {
    Some(match token {
        Token::DoubleEq => "write =",
        Token::Overlap => "write and",
        Token::StringConcat => "write or between conditions; texts are not joined in rules",
        Token::ExclamationMark => "write not",
        Token::Mod => "there are + - * /",
        Token::SemiColon => "a rule is one expression",
        Token::Spaceship => "write a = b or (a is null and b is null)",
        Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_)
        | Token::UnicodeStringLiteral(_) => "texts stand in single quotes, numbers are decimal",
        _ => return None,
    })
}

/// What to write instead of a function.
pub(super) fn call(name: &str) -> Option<&'static str> {
    Some(match name {
        "coalesce" | "ifnull" | "nvl" => "write `x > 1 or x is null`",
        "lower" | "upper" => "list the spellings: city in ('Dalian', 'DALIAN')",
        "greatest" | "least" => "compare each of them: a > 1 or b > 1",
        "starts_with" | "contains" => "write `x like 'abc%'`",
        "if" | "iif" => "write (a and b) or (not a and c)",
        "any" | "all" | "some" => "list the values: city in ('Dalian', 'Anshan')",
        _ => return None,
    })
}

/// What to write instead of the words of SQL that begin or join what rules do not have. Other words are names.
pub(super) fn word(name: &str) -> Option<&'static str> {
    Some(match name {
        "case" | "when" | "then" | "else" | "end" => "write (a and b) or (not a and c)",
        "cast" | "convert" | "collate" => "attributes have the types they have; texts are compared by their bytes",
        "ilike" => "like is case-sensitive: join the spellings with or",
        "similar" | "regexp" | "rlike" | "glob" | "match" => "write like, with % for any run and _ for one character",
        "escape" => "like has no escape",
        "select" | "from" | "where" | "exists" => "a rule is one condition about one customer",
        "any" | "all" | "some" | "unnest" => "list the values: city in ('Dalian', 'Anshan')",
        "distinct" => "write a <> b or (a is null and b is not null) or (a is not null and b is null)",
        "unknown" | "isnull" | "notnull" => "write `is null` or `is not null`",
        "xor" => "write a <> b",
        "div" | "mod" => "there are + - * /",
        "interval" | "date" | "time" | "timestamp" | "current_date" | "current_timestamp" | "now" => {
            "ages and tenures are attributes: age, tenure_months, days_to_birthday"
        }
        _ => return None,
    })
}

/// What the parser takes beyond the language in spite of the words that reach it.
pub(super) fn tree(tree: &ast::Expr) -> (&'static str, Option<&'static str>) {
    match tree {
        ast::Expr::IsTrue(_) => ("`is true`", Some("write at_least(1, condition), which is never null")),
        ast::Expr::IsNotTrue(_) => ("`is not true`", Some("write not at_least(1, condition)")),
        ast::Expr::IsFalse(_) => ("`is false`", Some("write at_least(1, not condition)")),
        ast::Expr::IsNotFalse(_) => ("`is not false`", Some("write not at_least(1, not condition)")),
        ast::Expr::InSubquery { .. } | ast::Expr::Subquery(_) | ast::Expr::Exists { .. } => {
            ("a query", Some("a rule is one condition about one customer"))
        }
        _ => ("this", None),
    }
}
