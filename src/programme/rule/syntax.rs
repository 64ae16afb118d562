//! The tree of a rule, by sqlparser.
//!
//! The dialect takes the beginnings of expressions into its own hands: sqlparser tries several
//! readings of one and goes back, which costs time exponential in the depth on some texts that are
//! none, and much stack on all.

use sqlparser::ast::{self, UnaryOperator};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Word};

use super::super::diagnostic::quoted;
use super::words::{Words, is_name_char, lower_first};
use super::{LEVELS_MAX, RuleProblems};

/// SQL as rules write it.
#[derive(Debug)]
pub(super) struct RuleDialect;

impl Dialect for RuleDialect {
    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        is_name_char(char)
    }

    fn is_delimited_identifier_start(&self, char: char) -> bool {
        char == '"'
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<ast::Expr, ParserError>> {
        let token = parser.peek_token_ref();
        let span = token.span;
        Some(match &token.token {
            Token::Word(Word { keyword: Keyword::TRUE | Keyword::FALSE | Keyword::NULL, .. })
            | Token::Number(..)
            | Token::SingleQuotedString(_) => parser.parse_value().map(ast::Expr::Value),
            Token::Word(Word { keyword: Keyword::NOT, .. }) => {
                parser.advance_token();
                let operand = parser.parse_subexpr(self.prec_value(Precedence::UnaryNot));
                operand.map(|expr| ast::Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) })
            }
            Token::Minus => {
                parser.advance_token();
                let operand = parser.parse_subexpr(self.prec_value(Precedence::MulDivModOp));
                operand.map(|expr| ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(expr) })
            }
            Token::LParen => {
                parser.advance_token();
                parenthesised(parser)
            }
            Token::Word(word) if word.quote_style.is_some() => {
                let name = word.to_ident(span);
                parser.advance_token();
                Ok(ast::Expr::Identifier(name))
            }
            Token::Word(word) if word.keyword == Keyword::NoKeyword => {
                let name = ast::ObjectName::from(vec![word.to_ident(span)]);
                parser.advance_token();
                parser.parse_function(name)
            }
            found => Err(expected("an attribute, a number, a text or a condition", found, span.start)),
        })
    }
}

fn parenthesised(parser: &mut Parser) -> Result<ast::Expr, ParserError> {
    let inner = parser.parse_expr()?;
    parser.expect_token(&Token::RParen)?;
    Ok(ast::Expr::Nested(Box::new(inner)))
}

/// As sqlparser words it.
fn expected(what: &str, found: &Token, at: Location) -> ParserError {
    ParserError::ParserError(format!("Expected: {what}, found: {found}{at}"))
}

/// None where there is an error, which has been told.
pub(super) fn parse(words: &Words, problems: &mut RuleProblems<'_, '_, '_>) -> Option<ast::Expr> {
    let mut parser =
        Parser::new(&RuleDialect).with_recursion_limit(LEVELS_MAX).with_tokens_with_locations(words.tokens.clone());
    let end = problems.text.value.chars().count();
    if words.tokens.is_empty() {
        problems.error(0..end, "it is empty", "write a condition, as in `age >= 60`".to_owned());
        return None;
    }
    let error = match parser.parse_expr() {
        Ok(tree) => {
            let next = parser.peek_token_ref();
            if next.token == Token::EOF {
                return Some(tree);
            }
            expected("and, or, or the end of the rule", &next.token, next.span.start)
        }
        Err(error) => error,
    };
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            problems.whole(&format!("it nests deeper than {LEVELS_MAX} levels"));
            return None;
        }
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
    };

    if words.has_unknown {
        return None;
    }

    // sqlparser has no error type with a place: message and place are one text.
    let (message, location) = split_location(&message);
    let start = location.map_or(end, |location| problems.text.char_at(location));
    let token = words.tokens.iter().find(|token| problems.text.char_at(token.span.start) == start);
    let span = token.map_or(start..start.saturating_add(1), |token| problems.text.chars(token.span));
    let problem = match message.strip_prefix("Expected: ").and_then(|message| message.rsplit_once(", found: ")) {
        Some((expected, _)) => {
            let found = match token {
                Some(_) => quoted(&problems.text.slice(span.clone())),
                None => "the end of the rule".to_owned(),
            };
            format!("expected {}, found {found}", plain(expected))
        }
        None => lower_first(message),
    };
    problems.error(span, &problem, None);
    None
}

/// The words of sqlparser in ours.
fn plain(expected: &str) -> &str {
    match expected {
        "(" | ")" | "," => expected,
        "an expression" => "an attribute, a number, a text or a condition",
        "[NOT] NULL | TRUE | FALSE | DISTINCT | [form] NORMALIZED FROM after IS" => "null or not null",
        "AND" => "and",
        other => other,
    }
}

/// Takes " at Line: 1, Column: 5" from the end.
fn split_location(message: &str) -> (&str, Option<Location>) {
    let split = message.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, Location { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    split.map_or((message, None), |(message, location)| (message, Some(location)))
}
