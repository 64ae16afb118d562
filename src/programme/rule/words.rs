//! The words of a rule: tokens, with attributes known by name and what is no part of the language refused.
//!
//! Attributes are found here, in the characters, because SQL would read `holds.139mail` as a number
//! and a word. Each becomes one quoted identifier. What leaves this module is the language's own
//! keywords, literals, operators and attributes: the parser never meets the rest of SQL.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use dataflows::rules::Attribute;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word};

use super::super::diagnostic::quoted;
use super::super::near;
use super::super::source::Place;
use super::foreign;
use super::syntax::RuleDialect;
use super::{LEVELS_MAX, OPERATORS_MAX, RuleProblems, numbers};

/// The tokens of a rule, ready for the parser.
pub(super) struct Words {
    pub tokens: Vec<TokenWithSpan>,
    /// By the character at which it begins. None: not known, and told.
    pub attributes: BTreeMap<usize, Option<Attribute>>,
    /// Whether an attribute is not known: what does not parse is then mostly its consequence.
    pub has_unknown: bool,
}

/// The attributes of a rule, each where it is named first.
type Uses = Vec<(Attribute, Place)>;

/// None where there is an error, which has been told.
pub(super) fn read(problems: &mut RuleProblems<'_, '_, '_>) -> (Option<Words>, Uses) {
    let text = problems.text;
    let tokens = match Tokenizer::new(&RuleDialect, text.value).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            let at = text.char_at(error.location);
            let problem = match error.message.as_str() {
                "Unterminated string literal" => "a text without its closing quote".to_owned(),
                "Expected close delimiter '\"' before EOF." => "a name without its closing quote".to_owned(),
                message => lower_first(message),
            };
            problems.error(at..at.saturating_add(1), &problem, None);
            return (None, Vec::new());
        }
    };
    let chars: Vec<char> = text.value.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        problems,
        out: Vec::with_capacity(tokens.len()),
        attributes: BTreeMap::new(),
        uses: Vec::new(),
        used: HashSet::new(),
        failed: false,
        told_foreign: false,
        told_unknown: false,
    };
    reader.tokens(&tokens);
    reader.bounds();
    let words = Words { tokens: reader.out, attributes: reader.attributes, has_unknown: reader.told_unknown };
    ((!reader.failed).then_some(words), reader.uses)
}

struct Reader<'r, 'p, 'a, 's> {
    chars: &'r [char],
    problems: &'r mut RuleProblems<'p, 'a, 's>,
    out: Vec<TokenWithSpan>,
    attributes: BTreeMap<usize, Option<Attribute>>,
    uses: Uses,
    used: HashSet<Attribute>,
    failed: bool,
    /// One refusal of what is foreign is enough: the words after it belong to it.
    told_foreign: bool,
    told_unknown: bool,
}

impl Reader<'_, '_, '_, '_> {
    fn tokens(&mut self, tokens: &[TokenWithSpan]) {
        let mut tokens = tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            let span = self.problems.text.chars(token.span);
            match &token.token {
                Token::Word(word) => {
                    let (name, end) = self.name(word, &span);
                    let mut whole = token.clone();
                    // The name may be several tokens of SQL; they end where it ends, or it needs quotes.
                    let mut token_end = span.end;
                    while let Some(part) = tokens.next_if(|part| self.problems.text.char_at(part.span.start) < end) {
                        token_end = self.problems.text.char_at(part.span.end);
                        whole.span.end = part.span.end;
                    }
                    if token_end != end {
                        let written = self.problems.text.slice(span.start..token_end);
                        let (family, rest) = written.split_once('.').unwrap_or((&name, ""));
                        let hint = format!("quote the name: {family}.{}", quoted(rest));
                        self.error(span.start..token_end, "a name that SQL would read as a number", hint);
                        continue;
                    }
                    let next = tokens.clone().find(|next| !matches!(next.token, Token::Whitespace(_)));
                    let is_call = next.is_some_and(|next| next.token == Token::LParen);
                    self.word(word, &name, whole, span.start..end, is_call);
                }
                Token::Number(digits, is_long) => {
                    let digits = if *is_long { format!("{digits}L") } else { digits.clone() };
                    match numbers::decimal(&digits) {
                        Ok(_) => self.out.push(token.clone()),
                        Err(problem) => self.error(span, &format!("found {problem}"), None),
                    }
                }
                Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab) => {}
                Token::Whitespace(_) => {
                    let hint = "`--` begins a comment in SQL; write `- -` for a difference, and remarks on TOML lines that begin with #";
                    self.error(span, "comments are not part of the rule language", hint.to_owned());
                }
                Token::SingleQuotedString(_)
                | Token::Comma
                | Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::Gt
                | Token::LtEq
                | Token::GtEq
                | Token::Plus
                | Token::Minus
                | Token::Mul
                | Token::Div
                | Token::LParen
                | Token::RParen => self.out.push(token.clone()),
                Token::Period => self.error(span, "a dot stands directly between a family and its name", None),
                other => {
                    let found = self.problems.text.slice(span.clone());
                    let hint = foreign::token(other).map(str::to_owned);
                    self.foreign(span, &quoted(&found), hint);
                }
            }
        }
    }

    /// The name that begins with a word, and the character where it ends: `usage.sms_p2p`,
    /// `tag.music.pop`, `holds."12580"`, `holds.139mail`. Quoted parts lose their quotes: the name is what is
    /// between the dots.
    fn name(&self, word: &Word, span: &Range<usize>) -> (String, usize) {
        let mut name = word.value.clone();
        let mut end = span.end;
        if word.quote_style.is_some() {
            return (name, end);
        }
        let char = |at: usize| self.chars.get(at).copied();
        while char(end) == Some('.') {
            let start = end.saturating_add(1);
            let mut at = start;
            let mut part = String::new();
            if char(start) == Some('"') {
                at = at.saturating_add(1);
                while let Some(next) = char(at) {
                    at = at.saturating_add(1);
                    if next == '"' {
                        if char(at) != Some('"') {
                            break;
                        }
                        at = at.saturating_add(1);
                    }
                    part.push(next);
                }
            } else {
                while let Some(next) = char(at).filter(|next| is_name_char(*next)) {
                    part.push(next);
                    at = at.saturating_add(1);
                }
            }
            name.push('.');
            name.push_str(&part);
            end = at;
        }
        (name, end)
    }

    fn word(&mut self, word: &Word, name: &str, mut token: TokenWithSpan, span: Range<usize>, is_call: bool) {
        if word.quote_style.is_some() {
            let problem = format!("found {}, which is a quoted name", quoted(name));
            let is_plain = Attribute::PLAIN.iter().any(|(plain, _)| *plain == name);
            let hint =
                if is_plain { format!("write {name}") } else { format!("texts stand in single quotes: '{name}'") };
            self.error(span, &problem, hint);
            return;
        }
        if let Some(number) = self.out.last()
            && matches!(number.token, Token::Number(..))
            && self.problems.text.char_at(number.span.end) == span.start
        {
            let hint = "numbers have no unit and no grouping: write 1000, not 1000yuan or 1_000".to_owned();
            self.error(span.clone(), &format!("found {} directly behind a number", quoted(name)), hint);
            return;
        }
        let lower = name.to_lowercase();
        match lower.as_str() {
            "and" | "or" | "not" | "between" | "in" | "is" | "null" | "like" | "true" | "false" => {
                self.out.push(token);
                return;
            }
            "at_least" if is_call => {
                self.out.push(token);
                return;
            }
            _ => {}
        }
        if is_call {
            let hint = foreign::call(&lower).or_else(|| foreign::word(&lower));
            let hint = hint.unwrap_or("the only function is at_least(k, condition, ...)");
            self.foreign(span, &format!("the function {}", quoted(name)), Some(hint.to_owned()));
            return;
        }
        if let Some(hint) = foreign::word(&lower) {
            self.foreign(span, &quoted(name), Some(hint.to_owned()));
            return;
        }
        let attribute = self.attribute(name, &span);
        if let Some(attribute) = &attribute
            && self.used.insert(attribute.clone())
        {
            self.uses.push((attribute.clone(), self.problems.text.place(span.clone())));
        }
        token.token = Token::Word(Word { value: name.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword });
        self.out.push(token);
        self.attributes.insert(span.start, attribute);
    }

    /// What a name stands for; none where that is not known, which is told.
    fn attribute(&mut self, name: &str, span: &Range<usize>) -> Option<Attribute> {
        let families = Attribute::FAMILIES.iter().map(|(family, _)| *family);
        let Some((family, rest)) = name.split_once('.') else {
            if let Some((_, attribute)) = Attribute::PLAIN.iter().find(|(plain, _)| *plain == name) {
                return Some(attribute.clone());
            }
            if families.clone().any(|family| family == name) {
                return self.nameless(name, span);
            }
            let plain = Attribute::PLAIN.iter().map(|(plain, _)| *plain);
            let hint = self.hyphen_hint(span).or_else(|| near::hint(name, plain.chain(families)));
            return self.unknown(name, span, hint);
        };
        let Some((_, make)) = Attribute::FAMILIES.iter().find(|(known, _)| *known == family) else {
            let is_plain = Attribute::PLAIN.iter().any(|(plain, _)| *plain == family);
            let hint = if is_plain { Some(format!("write {family}")) } else { near::hint_or_list(family, families) };
            return self.unknown(name, span, hint);
        };
        if rest.split('.').any(|part| part.trim().is_empty()) {
            return self.nameless(family, span);
        }
        Some(make(rest.to_owned()))
    }

    fn unknown(&mut self, name: &str, span: &Range<usize>, hint: Option<String>) -> Option<Attribute> {
        self.told_unknown = true;
        // Behind something foreign (`cast(age as text)`) only a slip of the pen is worth telling.
        if !self.told_foreign || hint.is_some() {
            let hint = hint.unwrap_or_else(|| "an attribute, as in `age >= 60`, or a text in single quotes".to_owned());
            self.problems.error(span.clone(), &format!("unknown attribute {}", quoted(name)), hint);
        }
        None
    }

    fn nameless(&mut self, family: &str, span: &Range<usize>) -> Option<Attribute> {
        self.told_unknown = true;
        let hint = format!("write {family}.NAME");
        self.problems.error(span.clone(), &format!("found {family} without a name"), hint);
        None
    }

    /// `holds.music-club` is a difference to SQL.
    fn hyphen_hint(&self, span: &Range<usize>) -> Option<String> {
        let text = self.problems.text;
        let (minus, before) = (self.out.last()?, self.out.iter().rev().nth(1)?);
        let touches = text.char_at(minus.span.end) == span.start && minus.span.start == before.span.end;
        let Token::Word(Word { value, quote_style: Some(_), .. }) = &before.token else { return None };
        let (family, name) = value.split_once('.').filter(|_| touches && minus.token == Token::Minus)?;
        let rest = text.slice(span.clone());
        Some(format!("a name with a hyphen stands in quotes: {family}.{}", quoted(&format!("{name}-{rest}"))))
    }

    fn foreign(&mut self, span: Range<usize>, what: &str, hint: Option<String>) {
        self.failed = true;
        if std::mem::replace(&mut self.told_foreign, true) {
            return;
        }
        self.error(span, &format!("{what} is not part of the rule language"), hint);
    }

    fn error(&mut self, span: Range<usize>, problem: &str, hint: impl Into<Option<String>>) {
        self.failed = true;
        self.problems.error(span, problem, hint);
    }

    /// Refuses what would lead the parser too deep.
    fn bounds(&mut self) {
        let (mut depth, mut deepest, mut operators) = (0usize, 0usize, 0usize);
        for token in &self.out {
            match &token.token {
                Token::LParen => depth = depth.saturating_add(1),
                Token::RParen => depth = depth.saturating_sub(1),
                Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => {}
                Token::Word(word) if word.keyword == Keyword::NoKeyword => {}
                _ => operators = operators.saturating_add(1),
            }
            deepest = deepest.max(depth);
        }
        if deepest > LEVELS_MAX {
            self.failed = true;
            self.problems.whole(&format!("it nests deeper than {LEVELS_MAX} levels"));
        }
        if operators > OPERATORS_MAX {
            self.failed = true;
            self.problems.whole(&format!("it has {operators} operators, {OPERATORS_MAX} are allowed"));
        }
    }
}

/// What an unquoted name after the dot may hold, and words in general.
pub(super) fn is_name_char(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Messages begin in lower case.
pub(super) fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
