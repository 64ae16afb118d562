//! What PostgreSQL and its kin take for a statement and the parser does not: written in full before it is parsed.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::refusal::{Code, Refusal};
use super::subscribe;

/// Whether a token is a word that nobody put in quotes.
pub fn is(token: &Token, name: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name))
}

fn is_fetch(token: &Token) -> bool {
    is(token, "fetch")
}

/// Whether the first statement takes rows of a cursor.
pub fn begins_with_fetch(tokens: &[Token]) -> bool {
    tokens.iter().find(|token| !matches!(token, Token::Whitespace(_) | Token::SemiColon)).is_some_and(is_fetch)
}

/// `FETCH` with what may be left out of it: a direction (the next row), and `FROM`.
pub fn fetch_in_full(tokens: Vec<Token>) -> Vec<Token> {
    const DIRECTIONS: [&str; 9] =
        ["next", "prior", "first", "last", "absolute", "relative", "forward", "backward", "all"];
    let mut told: Vec<Token> = Vec::with_capacity(tokens.len() + 2);
    let mut rest = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).peekable();
    while let Some(token) = rest.next() {
        let begins = is_fetch(&token) && told.last().is_none_or(|last| *last == Token::SemiColon);
        told.push(token);
        if !begins {
            continue;
        }
        let is_part = |token: &Token| {
            DIRECTIONS.iter().any(|name| is(token, name)) || matches!(token, Token::Number(..) | Token::Minus)
        };
        let before = told.len();
        while let Some(part) = rest.next_if(is_part) {
            told.push(part);
        }
        if told.len() == before {
            told.push(Token::make_keyword("NEXT"));
        }
        if !rest.peek().is_some_and(|token| is(token, "from") || is(token, "in")) {
            told.push(Token::make_keyword("FROM"));
        }
    }
    told
}

/// `SUBSCRIBE [TO] view [WITH (SNAPSHOT [= truth], PROGRESS [= truth])]` as a question, wherever a statement may stand: by
/// itself, in `COPY (...)`, behind `FOR`.
pub fn subscription_in_full(tokens: Vec<Token>) -> Result<Vec<Token>, Refusal> {
    let mut told: Vec<Token> = Vec::with_capacity(tokens.len() + 16);
    let mut rest = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).peekable();
    while let Some(token) = rest.next() {
        let begins = told.last().is_none_or(|last| matches!(last, Token::SemiColon | Token::LParen) || is(last, "for"));
        // A function of that name is followed by what it takes.
        if !(begins && is(&token, subscribe::NAME))
            || rest.peek() == Some(&Token::LParen) && told.last() != Some(&Token::LParen)
        {
            told.push(token);
            continue;
        }
        rest.next_if(|token| is(token, "to"));
        let mut name = view_name(&mut rest)?;
        // Behind the schema's name.
        while rest.next_if(|token| *token == Token::Period).is_some() {
            name = view_name(&mut rest)?;
        }
        let (snapshot, progress) = options(&mut rest)?;
        let word = Token::make_keyword;
        let truth = |truth: bool| word(if truth { "TRUE" } else { "FALSE" });
        told.extend([word("SELECT"), Token::Mul, word("FROM"), Token::make_word(subscribe::NAME, None), Token::LParen]);
        told.extend([Token::SingleQuotedString(name), Token::Comma, truth(snapshot), Token::Comma, truth(progress)]);
        told.push(Token::RParen);
    }
    Ok(told)
}

fn view_name(rest: &mut impl Iterator<Item = Token>) -> Result<String, Refusal> {
    match rest.next() {
        Some(Token::Word(word)) => Ok(if word.quote_style.is_some() { word.value } else { word.value.to_lowercase() }),
        _ => Err(Refusal::new(Code::Syntax, "SUBSCRIBE takes the name of a view")
            .hint("of some of its rows: SELECT * FROM subscribe('tier') WHERE tier = 'A'")),
    }
}

/// Whether the rows that stand come first, and whether progress is told.
fn options<I: Iterator<Item = Token>>(rest: &mut std::iter::Peekable<I>) -> Result<(bool, bool), Refusal> {
    let (mut snapshot, mut progress) = (true, false);
    if rest.next_if(|token| is(token, "with")).is_none() {
        return Ok((snapshot, progress));
    }
    let expected =
        || Refusal::new(Code::Syntax, "expected WITH (SNAPSHOT [= true or false], PROGRESS [= true or false])");
    rest.next_if(|token| *token == Token::LParen).ok_or_else(expected)?;
    loop {
        let option = rest.next().ok_or_else(expected)?;
        let place = match () {
            () if is(&option, "snapshot") => &mut snapshot,
            () if is(&option, "progress") => &mut progress,
            () => return Err(expected()),
        };
        *place = true;
        if rest.next_if(|token| *token == Token::Eq).is_some() {
            let value = rest.next().ok_or_else(expected)?;
            *place = match () {
                () if is(&value, "true") => true,
                () if is(&value, "false") => false,
                () => return Err(expected()),
            };
        }
        match rest.next() {
            Some(Token::Comma) => {}
            Some(Token::RParen) => return Ok((snapshot, progress)),
            _ => return Err(expected()),
        }
    }
}
