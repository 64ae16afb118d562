//! What a client may say: its text as statements, by an allow-list.
//!
//! Everything that is not on the list is refused before anybody plans it. Plans are held to a list of their own
//! (see [`super::Session::plan`]): either alone would do.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CopySource, CopyTarget, Expr, Query, Select, SetExpr, Statement as Ast, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    FixArrayLiteral, RewriteArrayAnyAllOperation, SqlStatementRewriteRule, StripCallableQualifier, StripCollate,
};

use super::refusal::{Code, Refusal};
use super::tokens::{begins_with_fetch, fetch_in_full, is, subscription_in_full};
use super::{rewrite, using};

/// Bytes of a text.
const TEXT_MAX: usize = 64 * 1024;

/// Tokens that join two operands. Each makes the tree of an expression one deeper, and whoever walks it needs room on
/// his stack for all of them.
const OPERATORS_MAX: usize = 2000;

/// Alternatives of a list.
const LIST_MAX: usize = 10_000;

/// Reads texts.
pub struct Reader {
    /// Makes of what clients ask about tables and types something that can be planned.
    catalog: PostgresCompatibilityParser,
    rules: Vec<Box<dyn SqlStatementRewriteRule>>,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            catalog: PostgresCompatibilityParser::new(),
            rules: vec![
                Box::new(RewriteArrayAnyAllOperation),
                Box::new(StripCallableQualifier),
                Box::new(FixArrayLiteral),
                Box::new(StripCollate),
            ],
        }
    }
}

impl Reader {
    /// The statements of a text.
    pub fn read(&self, text: &str) -> Result<Vec<Ast>, Refusal> {
        if text.len() > TEXT_MAX {
            return Err(Refusal::new(Code::TooComplex, format!("the statement is longer than {TEXT_MAX} bytes")));
        }
        let dialect = PostgreSqlDialect {};
        let tokens = Tokenizer::new(&dialect, text).tokenize().map_err(|error| Refusal::syntax(error.to_string()))?;
        if tokens.iter().filter(|token| joins(token)).count() > OPERATORS_MAX {
            let message = format!("the statement has more than {OPERATORS_MAX} operators");
            return Err(Refusal::new(Code::TooComplex, message));
        }
        if tokens.iter().any(is_about_catalog) {
            // Its rules answer with nulls where they know no better, which is for clients' own questions alone.
            let mut statements = self.catalog.parse(text).map_err(|error| Refusal::parser(&error))?;
            rewrite::without_lists(&mut statements);
            rewrite::in_other_words(&mut statements);
            rewrite::with_names_apart(&mut statements);
            return Ok(statements);
        }
        let follows = tokens.iter().any(|token| is(token, "subscribe"));
        let parsed = if follows {
            Parser::new(&dialect).with_tokens(subscription_in_full(tokens)?).parse_statements()
        } else if begins_with_fetch(&tokens) {
            Parser::new(&dialect).with_tokens(fetch_in_full(tokens)).parse_statements()
        } else {
            Parser::parse_sql(&dialect, text)
        };
        let statements = parsed.map_err(|error| Refusal::parser(&error))?;
        let ruled = |statement| self.rules.iter().fold(statement, |statement, rule| rule.rewrite(statement));
        let mut statements: Vec<Ast> = statements.into_iter().map(ruled).collect();
        rewrite::in_other_words(&mut statements);
        using::with_sides(&mut statements);
        rewrite::with_names_apart(&mut statements);
        Ok(statements)
    }
}

fn joins(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && ["and", "or", "not", "union", "except", "intersect", "join", "like", "between", "is"]
                    .iter()
                    .any(|name| word.value.eq_ignore_ascii_case(name))
        }
        Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_)
        | Token::EOF => false,
        _ => true,
    }
}

/// Whether a token names what the server tells of itself.
fn is_about_catalog(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    let name = word.value.to_ascii_lowercase();
    name.starts_with("pg_")
        || matches!(&*name, "information_schema" | "regclass" | "regtype" | "regproc" | "regnamespace" | "regrole")
}

/// Refuses a statement that is no question, or more than one.
pub fn only_reads(statement: &Ast) -> Result<(), Refusal> {
    let query = match statement {
        Ast::Query(query) => query,
        Ast::Explain { statement, .. } => return only_reads(statement),
        Ast::Copy { source: CopySource::Query(query), to: true, target: CopyTarget::Stdout, .. } => query,
        Ast::Copy { source: CopySource::Table { .. }, to: true, target: CopyTarget::Stdout, .. } => return Ok(()),
        _ => return Err(writes(statement)),
    };
    match Visit::visit(&**query, &mut OnlyReads) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What is told of a statement that is on no list.
pub fn writes(statement: &Ast) -> Refusal {
    let text = statement.to_string();
    let what: Vec<&str> = text.split_whitespace().take_while(|word| word.chars().all(char::is_alphabetic)).collect();
    let what = what.get(..what.len().min(2)).unwrap_or_default().join(" ").to_uppercase();
    Refusal::new(Code::ReadOnly, format!("cannot execute {what}: views are read, and change with what lands"))
        .hint("SELECT, COPY (SELECT ...) TO STDOUT, DECLARE, FETCH, SHOW, SET and EXPLAIN are served")
}

/// Looks at everything within a query.
struct OnlyReads;

impl Visitor for OnlyReads {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        if !query.locks.is_empty() {
            let message = "cannot lock rows: views are read only";
            return ControlFlow::Break(Refusal::new(Code::ReadOnly, message));
        }
        body(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
        match &select.into {
            Some(_) => {
                ControlFlow::Break(Refusal::new(Code::ReadOnly, "cannot execute SELECT INTO: views are read only"))
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Refusal> {
        match expression {
            Expr::InList { list, .. } if list.len() > LIST_MAX => {
                let message = format!("a list has more than {LIST_MAX} values");
                ControlFlow::Break(Refusal::new(Code::TooComplex, message))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Refuses what writes within a query: `WITH moved AS (DELETE ...)`.
fn body(expression: &SetExpr) -> ControlFlow<Refusal> {
    match expression {
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => ControlFlow::Continue(()),
        SetExpr::SetOperation { left, right, .. } => {
            body(left)?;
            body(right)
        }
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => ControlFlow::Break(writes(statement)),
    }
}
