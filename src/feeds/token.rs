//! Where somebody goes on: a text that he keeps, and that nobody else makes.
//!
//! ```text
//! f1.VIEW.SCHEMA.STORE.CONDITIONS.UPPER.DIGEST.SEAL
//! ```
//!
//! It is of one view with these columns, of one store, of rows under the same conditions, and of a history: a store that
//! was brought back from a copy and went another way since has another digest at the same place. The seal is a keyed
//! digest of all the rest.

use crate::query::View;

use super::journal::schema;
use super::segment::Mark;

const FORMAT: &str = "f1";

/// Bytes of the seal, and of what the store and the conditions are known by.
const SEAL: usize = 16;
const KNOWN: usize = 8;

/// Longest token, in bytes.
const BYTES_MAX: usize = 400;

/// What a token is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    pub view: &'static str,
    schema: String,
    store: String,
    conditions: String,
}

/// Why a token is refused. Nothing is ever left out instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    #[error(
        "the token is none of this service, or was altered; take the one that the feed gave last, or begin without one"
    )]
    Altered,
    #[error("the token is of another store; begin without one")]
    Foreign,
    #[error("the token is of another view; go on with the view that it was given for")]
    View,
    #[error("the columns of the view are others than when the token was given; begin without one")]
    Schema,
    #[error("the token was given for other conditions; go on with the same ones, or begin without one")]
    Conditions,
    #[error("what came after the token is kept no longer; begin without one")]
    Expired,
    #[error(
        "the token is of a time that this store knows nothing of: it was brought back from a copy; begin without one"
    )]
    Ahead,
}

impl TokenError {
    /// A name that stays.
    pub fn code(self) -> &'static str {
        match self {
            TokenError::Altered => "token_altered",
            TokenError::Foreign => "token_foreign",
            TokenError::View => "token_view",
            TokenError::Schema => "token_schema",
            TokenError::Conditions => "token_conditions",
            TokenError::Expired => "token_expired",
            TokenError::Ahead => "token_ahead",
        }
    }
}

impl Bound {
    pub fn new(view: &'static View, store: [u8; 16], conditions: &[(String, String)]) -> Bound {
        let mut sorted: Vec<&(String, String)> = conditions.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut hasher = blake3::Hasher::new();
        for text in sorted.into_iter().flat_map(|(column, value)| [column, value]) {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        Bound {
            view: view.name,
            schema: schema(view),
            store: hex::encode(&store[..KNOWN]),
            conditions: hex::encode(&hasher.finalize().as_bytes()[..KNOWN]),
        }
    }

    /// The token of a place in time.
    pub fn token(&self, key: &[u8; 32], mark: Mark) -> String {
        let Bound { view, schema, store, conditions } = self;
        let text = format!("{FORMAT}.{view}.{schema}.{store}.{conditions}.{}.{}", mark.upper, hex::encode(mark.digest));
        let seal = hex::encode(&blake3::keyed_hash(key, text.as_bytes()).as_bytes()[..SEAL]);
        format!("{text}.{seal}")
    }

    /// The place in time of a token, and what was told until there.
    pub fn read(&self, key: &[u8; 32], token: &str) -> Result<(u64, [u8; 8]), TokenError> {
        let altered = TokenError::Altered;
        let (text, seal) = token.rsplit_once('.').filter(|_| token.len() <= BYTES_MAX).ok_or(altered)?;
        // A token of another store has another seal too, and is told apart by what it says.
        let [format, view, schema, store, conditions, upper, digest] =
            text.split('.').collect::<Vec<_>>().try_into().map_err(|_| altered)?;
        if format != FORMAT {
            return Err(altered);
        }
        if store != self.store && store.len() == 2 * KNOWN && store.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TokenError::Foreign);
        }
        // As text: what a seal spells may be spelt in other letters too. Compared in the same time wherever they differ.
        let own = hex::encode(&blake3::keyed_hash(key, text.as_bytes()).as_bytes()[..SEAL]);
        let differs = own.bytes().zip(seal.bytes()).fold(0, |differs, (own, given)| differs | (own ^ given));
        if differs != 0 || own.len() != seal.len() {
            return Err(altered);
        }
        match (view == self.view, schema == self.schema, conditions == self.conditions) {
            (false, ..) => return Err(TokenError::View),
            (_, false, _) => return Err(TokenError::Schema),
            (.., false) => return Err(TokenError::Conditions),
            _ => {}
        }
        let mut told = [0; 8];
        hex::decode_to_slice(digest, &mut told).map_err(|_| altered)?;
        Ok((upper.parse().map_err(|_| altered)?, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::view;

    const KEY: [u8; 32] = [5; 32];
    const MARK: Mark = Mark { upper: 12, epoch: 40, digest: [1, 2, 3, 4, 5, 6, 7, 8] };

    fn bound(name: &str, store: u8, conditions: &[(&str, &str)]) -> Bound {
        let conditions: Vec<_> = conditions.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Bound::new(view(name).expect("a view"), [store; 16], &conditions)
    }

    #[test]
    fn a_token_is_read_by_what_it_is_of_and_by_nothing_else() {
        let own = bound("tier", 1, &[("tier", "A"), ("tier", "B")]);
        let token = own.token(&KEY, MARK);
        assert_eq!(own.read(&KEY, &token), Ok((12, MARK.digest)));
        assert_eq!(bound("tier", 1, &[("tier", "B"), ("tier", "A")]).read(&KEY, &token), Ok((12, MARK.digest)));
        for (other, why) in [
            (bound("segment_member", 1, &[("tier", "A"), ("tier", "B")]), TokenError::View),
            (bound("tier", 2, &[("tier", "A"), ("tier", "B")]), TokenError::Foreign),
            (bound("tier", 1, &[("tier", "AB")]), TokenError::Conditions),
            (bound("tier", 1, &[]), TokenError::Conditions),
            (Bound { schema: "00000000".to_owned(), ..own.clone() }, TokenError::Schema),
        ] {
            assert_eq!(other.read(&KEY, &token), Err(why));
        }
        assert_eq!(own.read(&[6; 32], &token), Err(TokenError::Altered));
    }

    #[test]
    fn no_byte_of_a_token_can_be_another() {
        let own = bound("tier", 1, &[]);
        let token = own.token(&KEY, MARK);
        for at in 0..token.len() {
            let capital = token[at..=at].to_uppercase();
            for other in ["0", "1", "f", ".", "x", "", "é", &capital] {
                let altered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                // One hexadecimal digit of the store is another store.
                let is_read = own.read(&KEY, &altered).is_ok();
                assert!(altered == token || !is_read, "{altered} is taken for {token}");
            }
        }
        for text in ["", ".", "f1", "f1.......", &"x".repeat(10_000)] {
            assert_eq!(own.read(&KEY, text), Err(TokenError::Altered), "{text:.20}");
        }
    }
}
