//! What the journal of the outbox knows and the store does not: what was handed off since a copy of the data was made, and
//! contacts that were made after they had been withdrawn.

use dataflows::records::{Arm, Handoff, HandoffRow, Rows};

use super::outbox::{Batch, Line};
use super::release::extract;
use crate::ingest::{Intern, Partition, moment};
use crate::intake::Intake;
use crate::intake::names::Naming;
use crate::store::{Store, StoreError};

/// A contact that was given to a channel once, and may be reserved no longer.
pub(crate) struct Withdrawn {
    batch: Batch,
    line: Line,
}

impl Withdrawn {
    fn field(&self, place: usize) -> &str {
        self.line.get(place).unwrap_or_default()
    }

    pub fn campaign(&self) -> &str {
        self.field(1)
    }

    pub fn customer(&self) -> &str {
        self.field(3)
    }

    pub fn channel(&self) -> &str {
        self.field(4)
    }

    pub fn at(&self) -> &str {
        self.field(6)
    }
}

impl Intake {
    /// Tells the store what was handed off and it does not know: it was brought back from an older copy.
    pub(super) fn adopt(&self, store: &mut Store, partition: Partition, lines: &[Line]) -> Result<(), StoreError> {
        let rows: Vec<HandoffRow> = lines.iter().filter_map(|line| self.row(&partition, line)).collect();
        tracing::warn!(
            batch = partition.part,
            day = partition.period,
            contacts = rows.len(),
            "handed off before, and told to the store again"
        );
        let wall = self.wall_time(&self.document().settings.zone);
        self.append(store, extract(partition, 1, rows), wall)?;
        Ok(())
    }

    /// The row that a line of the journal was; none where it cannot be read.
    fn row(&self, partition: &Partition, line: &Line) -> Option<HandoffRow> {
        let mut naming = Naming::new(self.names());
        let field = |place: usize| line.get(place).unwrap_or_default();
        let at = moment(field(6), &self.document().settings.zone);
        let (Some(at), Ok(step), Ok(cost)) = (at, field(2).parse(), field(7).parse()) else {
            tracing::warn!(
                batch = partition.part,
                day = partition.period,
                "a line of the outbox's journal cannot be read"
            );
            return None;
        };
        let arm = [Arm::Target, Arm::Control, Arm::Random].into_iter().find(|arm| arm.name() == field(5));
        Some(HandoffRow {
            contact_id: field(0).into(),
            customer: naming.customer(field(3)),
            at,
            handoff: Handoff {
                campaign: naming.word(field(1)),
                step,
                channel: naming.word(field(4)),
                arm: arm.unwrap_or_default(),
                cost,
            },
        })
    }

    /// Finds a contact that was given to a channel, whoever was kept back not among them. The latest batches are looked
    /// through first, and others go on meanwhile: it takes about a second for millions of contacts.
    pub(crate) fn withdrawn(&self, contact: &str) -> Result<Option<Withdrawn>, StoreError> {
        let Some(handoffs) = self.handoffs().filter(|_| HandoffRow::digest(contact).is_some()) else {
            return Ok(None);
        };
        let batches = handoffs.outbox.lock().journaled().map_err(StoreError::Outbox)?;
        for batch in batches.into_iter().rev() {
            let told = handoffs.outbox.lock().told(&batch);
            let Ok(lines) = told.inspect_err(|error| {
                tracing::warn!(batch = batch.number, day = batch.day, "the outbox's journal cannot be read: {error}");
            }) else {
                continue;
            };
            let is_it = |line: &Line| line.get(0) == Some(contact) && line.get(5) != Some(Arm::Control.name());
            if let Some(line) = lines.into_iter().find(is_it) {
                return Ok(Some(Withdrawn { batch, line }));
            }
        }
        Ok(None)
    }

    /// Reserves a contact again that was made all the same: the batch's next version is with it.
    pub(crate) fn reserve_again(&self, store: &mut Store, withdrawn: &Withdrawn) -> Result<(), StoreError> {
        let partition = withdrawn.batch.partition();
        let Some((version, content)) = store.partition(&partition)? else { return Ok(()) };
        let Rows::Handoff(rows) = &content.rows else { return Ok(()) };
        let Some(row) = self.row(&partition, &withdrawn.line) else { return Ok(()) };
        let mut rows = rows.clone();
        if rows.iter().all(|standing| standing.contact_id != row.contact_id) {
            rows.push(row);
            let wall = self.wall_time(&self.document().settings.zone);
            self.append(store, extract(partition, version.saturating_add(1), rows), wall)?;
        }
        Ok(())
    }
}
