//! A person is erased: out of the log first, then out of everything that lies beside it, and only then is it answered.
//!
//! ```text
//! log ─► views ─► outbox, order batches, journals of feeds ─► finished
//! ```
//!
//! What lies beside the log is known again by the facts that the log keeps, so that an erasure that was cut short goes
//! on without anybody naming the person again.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use dataflows::records::ID_BYTES_MAX;
use dataflows::types::Epoch;

use super::Intake;
use crate::engine::Published;
use crate::handoff::Touched;
use crate::ingest::Named;
use crate::store::erased::{Erased, Fact};
use crate::store::erasure::{Plan, Traces, nameless};
use crate::store::{REQUEST, Store, StoreError};

/// How files beside the log know who was erased.
pub(crate) struct Whom<'a> {
    pub is_customer: &'a dyn Fn(&str) -> bool,
    pub is_request: &'a dyn Fn(&str) -> bool,
    /// The name of a request that holds an id, as one that tells nothing.
    pub renamed: &'a dyn Fn(&str) -> Option<String>,
}

/// An erasure, done or only tried.
pub struct Erasure {
    pub plan: Plan,
    /// In which it was done; none where it was only tried.
    pub epoch: Option<Epoch>,
    /// Views of which nothing is told any more to who goes on by a token.
    pub journals: Vec<&'static str>,
    /// What is left to be done when the service is started again, or asked again, and why.
    pub unfinished: Option<String>,
}

/// What became of the wish to erase.
pub enum Answer {
    Erasure(Box<Erasure>),
    /// What is wrong with the id.
    Refused(String),
    /// A worker has failed.
    Failed,
}

/// Ends journals of feeds that name somebody, and tells which.
pub type Forget<'a> = &'a dyn Fn(&Traces) -> io::Result<Vec<&'static str>>;

impl Intake {
    /// Erases a person, or only finds out what that would come to. Nothing is accepted while the log is written anew.
    pub fn erase(&self, id: &str, is_tried: bool, forget: Forget<'_>) -> Result<Answer, StoreError> {
        if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
            return Ok(Answer::Refused(format!(
                "expected the id of a customer, one line of at most {ID_BYTES_MAX} bytes"
            )));
        }
        let _erasing = self.erasing.lock();
        let (plan, epoch) = {
            let mut store = self.store.lock();
            let plan = store.plan_erasure(id)?;
            if is_tried {
                let untouched = Erasure { plan, epoch: None, journals: Vec::new(), unfinished: None };
                return Ok(Answer::Erasure(Box::new(untouched)));
            }
            match self.erase_from(&mut store, &plan)? {
                Some(published) => (plan, published.epoch),
                None => return Ok(Answer::Failed),
            }
        };
        let beside = self.erase_beside(Some(&plan.traces)).and_then(|()| forget(&plan.traces));
        let (journals, unfinished) = match beside {
            Ok(journals) => {
                self.store.lock().finish_erasure()?;
                (journals, None)
            }
            Err(error) => {
                tracing::error!("an erasure is not finished beside the log: {error}");
                (Vec::new(), Some(error.to_string()))
            }
        };
        tracing::info!(epoch, "a person was erased");
        Ok(Answer::Erasure(Box::new(Erasure { plan, epoch: Some(epoch), journals, unfinished })))
    }

    /// Erases out of the log, and makes that visible; none where a worker has failed.
    fn erase_from(&self, store: &mut Store, plan: &Plan) -> Result<Option<Arc<Published>>, StoreError> {
        if !self.hub.settle() {
            return Ok(None);
        }
        // First, so that what the erasure itself changes is not noted of him.
        if let Some(changes) = &*self.changes.lock()
            && let Err(error) = changes.lock().forget(plan.customers())
        {
            tracing::warn!(%error, "changes of points are rid of him with the next start");
        }
        let (epoch, mut facts, durable_at) = store.erase(plan)?;
        facts.clock = facts.clock.map(|clock| self.clock(clock));
        self.hub.submit(epoch, facts, durable_at);
        if !self.hub.settle() {
            return Ok(None);
        }
        self.withdraw(store, &Touched::Some(plan.customers().collect()))?;
        Ok(Some(self.hub.published()))
    }

    /// Takes those who were erased out of the outbox and the batches of orders. Names of requests are known by what
    /// somebody is known by, or else by the id alone.
    fn erase_beside(&self, traces: Option<&Traces>) -> io::Result<()> {
        let erased = self.names().read().erased().clone();
        whom(&erased, traces, |whom| {
            if let Some(handoffs) = self.handoffs() {
                handoffs.erase(whom)?;
                handoffs.keep_erased(&erased.facts())?;
            }
            self.batches().map_or(Ok(()), |batches| batches.lock().erase(whom))
        })?;
        self.store.lock().remove_asides()
    }

    /// Brings what lies in the outbox and what the log knows of who was erased together, before anything of it is
    /// shown: whichever of them was brought back from an older copy is told whom to erase again.
    pub(crate) fn erase_again(&self, store: &mut Store) -> Result<(), StoreError> {
        let Some(handoffs) = self.handoffs() else { return Ok(()) };
        let kept: HashSet<Fact> = handoffs.erased().map_err(StoreError::Outbox)?.into_iter().collect();
        let mut facts: Vec<Fact> = kept.iter().copied().collect();
        facts.retain(|fact| !self.names().read().erased().knows(fact));
        if !facts.is_empty() {
            let plan = store.plan_erasure_again(&facts)?;
            tracing::warn!(people = plan.customers().count(), "erased before, and erased again out of an older copy");
            self.erase_from(store, &plan)?;
        }
        let erased = self.names().read().erased().clone();
        let is_older = erased.facts().iter().any(|fact| !kept.contains(fact));
        if is_older || store.is_erasure_unfinished() {
            let cleared = whom(&erased, None, |whom| handoffs.erase(whom));
            cleared.and_then(|()| handoffs.keep_erased(&erased.facts())).map_err(StoreError::Outbox)?;
        }
        Ok(())
    }

    /// Finishes what was cut short, after a start. `forget` takes all journals of feeds away: nobody knows any more by
    /// what to look for him in them.
    pub fn finish_erasure(&self, forget: impl FnOnce() -> io::Result<()>) -> Result<(), StoreError> {
        if !self.store.lock().is_erasure_unfinished() {
            return Ok(());
        }
        self.erase_beside(None).and_then(|()| forget()).map_err(StoreError::Outbox)?;
        self.store.lock().finish_erasure()
    }
}

fn whom<T>(erased: &Erased, traces: Option<&Traces>, act: impl FnOnce(&Whom<'_>) -> T) -> T {
    let is_customer = |id: &str| erased.has(Named::Customer(id));
    let is_named = |file: &str| {
        traces.is_some_and(|traces| traces.are_in(file)) || file.split([':', '-', '_', '/']).any(is_customer)
    };
    let renamed = |file: &str| (file.starts_with(REQUEST) && is_named(file)).then(|| nameless(erased, file));
    act(&Whom { is_customer: &is_customer, is_request: &|id| erased.has(Named::Request(id)), renamed: &renamed })
}

/// A CSV without the rows of some customers; none where they are not in it.
pub(crate) fn without(text: &[u8], is_gone: &dyn Fn(&str) -> bool) -> io::Result<Option<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let header = reader.headers().map_err(io::Error::from)?.clone();
    let Some(place) = header.iter().position(|name| name == "customer_id") else { return Ok(None) };
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(&header).map_err(io::Error::from)?;
    let mut has_gone = false;
    for row in reader.records() {
        let row = row.map_err(io::Error::from)?;
        match row.get(place).is_some_and(is_gone) {
            true => has_gone = true,
            false => writer.write_record(&row).map_err(io::Error::from)?,
        }
    }
    let left = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(has_gone.then_some(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_and_the_others_stay_as_they_are() {
        let text = "a,customer_id,b\n1,c1,\"x, \"\"y\"\"\"\n2,c2,\n3,c1,z,more\n";
        let left = |is_gone: &dyn Fn(&str) -> bool| {
            without(text.as_bytes(), is_gone).expect("read").map(|left| String::from_utf8(left).expect("text"))
        };
        assert_eq!(left(&|id| id == "c2").as_deref(), Some("a,customer_id,b\n1,c1,\"x, \"\"y\"\"\"\n3,c1,z,more\n"));
        assert_eq!(left(&|id| id == "c1").as_deref(), Some("a,customer_id,b\n2,c2,\n"));
        assert_eq!(left(&|id| id == "c3"), None);
    }
}
