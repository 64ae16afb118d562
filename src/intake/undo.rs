//! A file is undone: what it would change is shown first, and it is then a correction like any other.

use std::sync::Arc;
use std::time::Instant;

use dataflows::facts::Facts;
use dataflows::types::{Clock, Epoch};

use super::Intake;
use crate::engine::Published;
use crate::store::undo::{Plan, Refused};
use crate::store::{Store, StoreError};

/// An undo, done or only tried, with all views before it and after.
pub struct Undo {
    pub plan: Plan,
    pub before: Arc<Published>,
    pub after: Arc<Published>,
    /// In which it was done; none where it was only tried.
    pub epoch: Option<Epoch>,
}

/// What became of the wish to undo.
pub enum Answer {
    Undo(Box<Undo>),
    Refused(Refused),
    /// A worker has failed.
    Failed,
}

impl Intake {
    /// Undoes the file of a name, as an epoch of its own, and waits until that is visible; or only finds out what that
    /// would change, by the same dataflow, at twice the cost. Files wait meanwhile.
    pub fn undo(&self, file: &str, is_tried: bool) -> Result<Answer, StoreError> {
        let mut store = self.store.lock();
        let plan = match store.plan_undo(file)? {
            Ok(plan) => plan,
            Err(refused) => return Ok(Answer::Refused(refused)),
        };
        if !self.hub.settle() {
            return Ok(Answer::Failed);
        }
        let before = self.hub.published();
        let (after, epoch) = if is_tried {
            (self.rehearse(&mut store, &plan, before.clock)?, None)
        } else {
            let (epoch, mut facts, durable_at) = store.undo(&plan)?;
            facts.clock = facts.clock.map(|clock| self.clock(clock));
            let touched = self.touched(&facts);
            self.hub.submit(epoch, facts, durable_at);
            let after = self.hub.settle().then(|| self.hub.published());
            self.withdraw(&mut store, &touched)?;
            store.compact_if_worth_it()?;
            (after, Some(epoch))
        };
        let Some(after) = after else { return Ok(Answer::Failed) };
        Ok(Answer::Undo(Box::new(Undo { plan, before, after, epoch })))
    }

    fn rehearse(&self, store: &mut Store, plan: &Plan, clock: Clock) -> Result<Option<Arc<Published>>, StoreError> {
        let began = Instant::now();
        let (mut there, back) = store.rehearse_undo(plan)?;
        // At the second at which views stand, and not at that of the wall: what time alone changes is no undo's doing.
        if self.document().settings.clock_wall {
            there.clock = there.clock.map(|data| Clock { now: clock.now, ..data });
        }
        let back = Facts { clock: Some(clock), ..back };
        let after = self.hub.rehearse(there, back);
        tracing::info!(rows = plan.rows().0, took = ?began.elapsed(), "an undo was tried");
        Ok(after)
    }
}
