//! Passwords and tokens: what is kept of them.
//!
//! HTTP is told a password, which is held against its Argon2id (RFC 9106; 19 MiB, two passes, one lane). SQL is not told
//! it: SCRAM-SHA-256 (RFC 5802, RFC 7677) proves on both sides that it is known. What that needs on this side could be used
//! in place of the password, and is sealed under the key that stands outside the data.

use std::num::NonZeroU32;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

/// Shortest password, in characters, and longest, in bytes.
pub const PASSWORD_MIN: usize = 10;
pub const PASSWORD_MAX: usize = 256;

/// Rounds of SCRAM, on both sides.
pub const SCRAM_ITERATIONS: u32 = 10_000;

const SALT: usize = 16;
const SALTED: usize = 32;

/// Nothing random is to be had from the system.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers, and no secret can be made")]
pub struct NoRandom;

/// A password, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Password {
    argon2id: String,
    scram: Scram,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scram {
    salt: String,
    sealed: String,
}

/// What nobody reads or alters without the store's key.
pub struct Sealing(LessSafeKey);

impl Sealing {
    /// `context` is what the key is for, and no other.
    pub fn new(context: &str, key: &[u8; 32]) -> Sealing {
        let derived = blake3::derive_key(context, key);
        // The length is the algorithm's.
        let key = UnboundKey::new(&CHACHA20_POLY1305, &derived).map(LessSafeKey::new);
        Sealing(key.unwrap_or_else(|_| unreachable!("a key of 32 bytes")))
    }

    /// Opened again as the same alone: of an account, its name, so that no other takes it over.
    pub fn seal(&self, of: &str, bytes: &[u8]) -> Result<Vec<u8>, NoRandom> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = bytes.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(of.as_bytes()), &mut sealed)
            .map_err(|_| NoRandom)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub fn open(&self, of: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, mut rest) = (Nonce::assume_unique_for_key(*nonce), rest.to_vec());
        Some(self.0.open_in_place(nonce, Aad::from(of.as_bytes()), &mut rest).ok()?.to_vec())
    }
}

/// What seals passwords.
pub struct Seal {
    sealing: Sealing,
    /// For what is to look like a secret and is none.
    decoy: [u8; 32],
}

/// What SCRAM needs on this side.
pub struct Salted {
    pub salt: Vec<u8>,
    pub password: Vec<u8>,
}

impl Seal {
    pub fn new(key: &[u8; 32]) -> Seal {
        Seal {
            sealing: Sealing::new("cohortflow 2026 sealing what logs in over SQL", key),
            decoy: blake3::derive_key("cohortflow 2026 salts of names that nobody has", key),
        }
    }

    /// What SCRAM is begun with for a name that nobody has: the same each time, as for one that somebody has.
    pub fn decoy(&self, name: &str) -> Salted {
        let mut output = blake3::Hasher::new_keyed(&self.decoy).update(name.as_bytes()).finalize_xof();
        let (mut salt, mut password) = (vec![0; SALT], vec![0; SALTED]);
        output.fill(&mut salt);
        output.fill(&mut password);
        Salted { salt, password }
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

impl Password {
    /// Of an account.
    pub fn new(seal: &Seal, name: &str, password: &str) -> Result<Password, NoRandom> {
        let hash = argon2().hash_password_with_salt(password.as_bytes(), &random::<SALT>()?).map_err(|_| NoRandom)?;
        let salt = random::<SALT>()?;
        let sealed = seal.sealing.seal(name, &salted(password, &salt))?;
        Ok(Password {
            argon2id: hash.to_string(),
            scram: Scram { salt: STANDARD_NO_PAD.encode(salt), sealed: STANDARD_NO_PAD.encode(sealed) },
        })
    }

    /// Takes some tens of milliseconds.
    pub fn is(&self, password: &str) -> bool {
        argon2::PasswordHash::new(&self.argon2id)
            .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
    }

    /// None where it was sealed under another key, or for another name.
    pub fn salted(&self, seal: &Seal, name: &str) -> Option<Salted> {
        let salt = STANDARD_NO_PAD.decode(&self.scram.salt).ok()?;
        let sealed = STANDARD_NO_PAD.decode(&self.scram.sealed).ok()?;
        Some(Salted { salt, password: seal.sealing.open(name, &sealed)? })
    }
}

/// `SaltedPassword` of RFC 5802. A password that cannot be prepared is taken as it is, as PostgreSQL does.
fn salted(password: &str, salt: &[u8]) -> [u8; SALTED] {
    let prepared = stringprep::saslprep(password).unwrap_or(password.into());
    let mut salted = [0; SALTED];
    let rounds = NonZeroU32::new(SCRAM_ITERATIONS).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(PBKDF2_HMAC_SHA256, rounds, salt, prepared.as_bytes(), &mut salted);
    salted
}

/// Takes as long as holding a password against one that there is.
pub fn takes_as_long(password: &str) {
    let _ = argon2().hash_password_with_salt(password.as_bytes(), &[0; SALT]);
}

/// A new token that begins with something by which leaked ones are found.
pub fn token(prefix: &str) -> Result<String, NoRandom> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// What is kept of a token.
pub fn hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_sealed_for_one_name_under_one_key() {
        let seal = Seal::new(&[7; 32]);
        let password = Password::new(&seal, "ann", "correct horse battery").expect("random");
        assert!(password.is("correct horse battery"));
        assert!(!password.is("correct horse batterz"));
        let opened = password.salted(&seal, "ann").expect("sealed for her");
        assert_eq!(opened.password, salted("correct horse battery", &opened.salt));
        assert!(password.salted(&seal, "bob").is_none());
        assert!(password.salted(&Seal::new(&[8; 32]), "ann").is_none());
        let kept = serde_json::to_string(&password).expect("text");
        let plain = STANDARD_NO_PAD.encode(&opened.password);
        assert!(!kept.contains("horse") && !kept.contains(&plain), "{kept}");
    }

    #[test]
    fn a_name_that_nobody_has_begins_the_same_way_each_time() {
        let seal = Seal::new(&[7; 32]);
        assert_eq!(seal.decoy("eve").salt, seal.decoy("eve").salt);
        assert_ne!(seal.decoy("eve").salt, seal.decoy("eva").salt);
        assert_eq!(seal.decoy("eve").salt.len(), SALT);
    }
}
