//! The accounts there are, durable, and who logs in with which.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::account::{Account, Token};
use super::change::{Change, ChangeError};
use super::login::Sessions;
use super::rights::Role;
use super::secret::{NoRandom, Seal, hash, token};
use super::throttle::Throttle;
use super::viewer::Viewer;
use crate::store::vfs::Vfs;

/// Where accounts are kept, and what they are written as before they are.
const FILE: &str = "accounts.json";
const NEXT: &str = "accounts.json.next";

/// Every change of what stands in the file raises this. 2: subjects; what 1 holds is read as it is.
const FORMAT: u32 = 2;

/// Largest file, in bytes, and most accounts and tokens of one.
const BYTES_MAX: u64 = 64 << 20;
const ACCOUNTS_MAX: usize = 10_000;
const TOKENS_MAX: usize = 100;

/// How API tokens begin.
const PREFIX: &str = "cft_";

/// Why something could not be done with accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error("could not read or write accounts: {0}")]
    Io(#[from] io::Error),
    #[error(
        "{FILE} cannot be read: {0}\nhint: bring it back from a backup; nobody is let in on the strength of a file that may be wrong"
    )]
    Damaged(String),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("there is no account of that name")]
    Unknown,
    #[error("there is an account of that name already")]
    Exists,
    #[error("another account has that subject already: who logs in with it would be two")]
    Subject,
    #[error("there is no token of that id")]
    NoToken,
    #[error("the first account is an administrator's: nobody else could make others")]
    First,
    #[error("it is the last administrator's account: nobody could make others")]
    Last,
    #[error("there are at most {ACCOUNTS_MAX} accounts, of {TOKENS_MAX} tokens each")]
    TooMany,
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    accounts: Vec<Account>,
}

/// Who there is, by name, and whose which token and which subject is.
#[derive(Default)]
struct Held {
    viewers: BTreeMap<String, Arc<Viewer>>,
    tokens: HashMap<String, (String, Option<i64>)>,
    subjects: HashMap<String, String>,
}

impl Held {
    fn of(accounts: impl Iterator<Item = Arc<Account>>) -> Held {
        let mut held = Held::default();
        for account in accounts {
            for token in &account.tokens {
                held.tokens.insert(token.hash.clone(), (account.name.clone(), token.expires_at));
            }
            if let Some(subject) = &account.subject {
                held.subjects.insert(subject.clone(), account.name.clone());
            }
            held.viewers.insert(account.name.clone(), Arc::new(Viewer::of(account)));
        }
        held
    }

    fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.viewers.values().filter_map(|viewer| viewer.account())
    }
}

/// All accounts.
pub struct Accounts {
    vfs: Arc<dyn Vfs>,
    pub(super) seal: Seal,
    held: RwLock<Held>,
    keeper: Arc<Viewer>,
    /// Held while accounts are written.
    writing: Mutex<()>,
    pub(super) sessions: Mutex<Sessions>,
    pub(super) throttle: Mutex<Throttle>,
    /// Held while a password is looked at: it takes memory and time, of which guessing is not to have more.
    pub(super) hashing: Mutex<()>,
    /// Rows about persons that were taken, by account, and on which day.
    spent: Mutex<HashMap<String, (i64, u64)>>,
    /// Counts changes, for those who were let in before.
    changed: watch::Sender<u64>,
}

impl Accounts {
    /// Opens what a directory keeps. `key` is the store's.
    pub fn open(vfs: Arc<dyn Vfs>, key: &[u8; 32]) -> Result<Accounts, AccountsError> {
        let file = vfs.open(FILE)?;
        let size = file.size()?;
        let mut accounts = Vec::new();
        if size > 0 {
            let damaged = |why: &dyn std::fmt::Display| AccountsError::Damaged(why.to_string());
            if size > BYTES_MAX {
                return Err(damaged(&"it is too large"));
            }
            let mut bytes = vec![0; size as usize];
            file.read_at(0, &mut bytes)?;
            let File { format, accounts: read } = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
            if !(1..=FORMAT).contains(&format) {
                return Err(damaged(&format_args!("it is of format {format}, and this build reads 1 to {FORMAT}")));
            }
            accounts = read;
        }
        Ok(Accounts {
            vfs,
            seal: Seal::new(key),
            held: RwLock::new(Held::of(accounts.into_iter().map(Arc::new))),
            keeper: Arc::new(Viewer::keeper()),
            writing: Mutex::default(),
            sessions: Mutex::default(),
            throttle: Mutex::default(),
            hashing: Mutex::default(),
            spent: Mutex::default(),
            changed: watch::Sender::new(0),
        })
    }

    /// Whoever keeps the service, while there is no account.
    pub fn keeper(&self) -> Option<Arc<Viewer>> {
        self.held.read().viewers.is_empty().then(|| self.keeper.clone())
    }

    /// The account of a name, as it is now.
    pub fn viewer(&self, name: &str) -> Option<Arc<Viewer>> {
        self.held.read().viewers.get(name).cloned()
    }

    /// Whether somebody who was let in would be let in as that still.
    pub fn is_current(&self, viewer: &Viewer) -> bool {
        match viewer.name() {
            None => self.keeper().is_some(),
            Some(name) => self.viewer(name).is_some_and(|now| *now == *viewer),
        }
    }

    /// Whose API token it is.
    pub fn of_token(&self, token: &str, now: i64) -> Option<Arc<Viewer>> {
        let held = self.held.read();
        let (name, expires) = held.tokens.get(&hash(token))?;
        held.viewers.get(name).filter(|_| expires.is_none_or(|expires| now < expires)).cloned()
    }

    /// Whom the identity provider knows as that.
    pub(super) fn of_subject(&self, subject: &str) -> Option<Arc<Viewer>> {
        let held = self.held.read();
        held.viewers.get(held.subjects.get(subject)?).cloned()
    }

    /// Tells of changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub fn list(&self) -> Vec<Account> {
        self.held.read().accounts().cloned().collect()
    }

    /// Makes an account.
    pub fn add(&self, name: &str, change: Change, by: Option<&str>, now: i64) -> Result<(), AccountsError> {
        let _writing = self.writing.lock();
        if self.viewer(name).is_some() {
            return Err(AccountsError::Exists);
        }
        let account = self.hashed(|| change.of(None, name, by, &self.seal, now))?;
        let mut accounts = self.list();
        if accounts.is_empty() && account.role != Role::Administrator {
            return Err(AccountsError::First);
        }
        accounts.push(account);
        self.keep(accounts)
    }

    /// Changes an account. Who was logged in by it has to do so again where its password or its subject is another.
    pub fn change(&self, name: &str, change: Change, now: i64) -> Result<(), AccountsError> {
        let is_other = change.password.is_some() || change.subject.is_some();
        self.edit(name, |account| {
            *account = self.hashed(|| change.of(Some(account), name, None, &self.seal, now))?;
            Ok(())
        })?;
        if is_other {
            self.sessions.lock().end_of(name);
        }
        Ok(())
    }

    /// Deletes an account, with all it was let in by.
    pub fn remove(&self, name: &str) -> Result<(), AccountsError> {
        let _writing = self.writing.lock();
        let mut accounts = self.list();
        let before = accounts.len();
        accounts.retain(|account| account.name != name);
        if accounts.len() == before {
            return Err(AccountsError::Unknown);
        }
        self.keep(accounts)?;
        self.sessions.lock().end_of(name);
        Ok(())
    }

    /// Gives an account a token: the token itself, and what it is taken back by.
    pub fn add_token(&self, name: &str, expires_at: Option<i64>, now: i64) -> Result<(String, Token), AccountsError> {
        let secret = token(PREFIX)?;
        let hash = hash(&secret);
        let token = Token { id: hash.chars().take(12).collect(), hash, created_at: now, expires_at };
        let told = token.clone();
        self.edit(name, |account| {
            if account.tokens.len() == TOKENS_MAX {
                return Err(AccountsError::TooMany);
            }
            account.tokens.push(token);
            Ok(())
        })?;
        Ok((secret, told))
    }

    pub fn remove_token(&self, name: &str, id: &str) -> Result<(), AccountsError> {
        self.edit(name, |account| {
            let before = account.tokens.len();
            account.tokens.retain(|token| token.id != id);
            if account.tokens.len() < before { Ok(()) } else { Err(AccountsError::NoToken) }
        })
    }

    fn edit(
        &self,
        name: &str,
        edit: impl FnOnce(&mut Account) -> Result<(), AccountsError>,
    ) -> Result<(), AccountsError> {
        let _writing = self.writing.lock();
        let mut accounts = self.list();
        let account = accounts.iter_mut().find(|account| account.name == name).ok_or(AccountsError::Unknown)?;
        edit(account)?;
        self.keep(accounts)
    }

    fn hashed<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _hashing = self.hashing.lock();
        work()
    }

    /// Writes all accounts; they count once they are durable.
    fn keep(&self, accounts: Vec<Account>) -> Result<(), AccountsError> {
        if accounts.len() > ACCOUNTS_MAX {
            return Err(AccountsError::TooMany);
        }
        let is_kept = |account: &Account| account.role == Role::Administrator;
        if !accounts.iter().any(is_kept) {
            return Err(AccountsError::Last);
        }
        let mut subjects: Vec<&String> = accounts.iter().filter_map(|account| account.subject.as_ref()).collect();
        subjects.sort_unstable();
        if subjects.windows(2).any(|two| two[0] == two[1]) {
            return Err(AccountsError::Subject);
        }
        let file = File { format: FORMAT, accounts };
        let bytes = serde_json::to_vec_pretty(&file).map_err(|error| AccountsError::Damaged(error.to_string()))?;
        let next = self.vfs.open(NEXT)?;
        next.truncate(0)?;
        next.write_at(0, &bytes)?;
        next.sync()?;
        self.vfs.rename(NEXT, FILE)?;
        self.vfs.sync_names()?;
        *self.held.write() = Held::of(file.accounts.into_iter().map(Arc::new));
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Counts rows about persons that an account takes. False where it may not take so many more that day.
    pub fn spend(&self, viewer: &Viewer, rows: u64, now: i64) -> bool {
        let (Some(name), Some(most)) = (viewer.name(), viewer.rows_a_day()) else { return true };
        let day = now.div_euclid(24 * 3600);
        let mut spent = self.spent.lock();
        let held = spent.entry(name.to_owned()).or_insert((day, 0));
        if held.0 != day {
            *held = (day, 0);
        }
        held.1 = held.1.saturating_add(rows);
        held.1 <= most
    }
}
