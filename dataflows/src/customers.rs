//! The table of customers as a keyed state: from facts to classes, members and their counts.
//!
//! Reads   facts
//! Gives   [`Change`]s of views; [`Link`]s, which decide who brought whom in; and settled chunks, off which readers take snapshots
//!
//! Points come first, since members hand them to each other: what one can give depends on what others
//! gave him. Once all workers agree on them, settling goes chunk by chunk. A chunk is looked at where facts touched it; all of them where the
//! clock's month or the tiers changed; and where only segments were edited, those segments alone.

mod difference;
mod listing;
mod pass;
mod settling;
mod trial;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::agreement::Agreeing;
use crate::attributes::{Frame, Moment};
use crate::facts::Facts;
use crate::fit;
use crate::goals::{self, Volumes};
use crate::keyed::Keyed;
use crate::points;
use crate::points::transfers::{Note, Said};
use crate::programme::Programme;
use crate::referrals::{self, Link};
use crate::rules::compiled::Compiled;
use crate::services::Services;
use crate::table::catalog::Catalog;
use crate::table::chunk::{CHUNK_EMPTY, Chunk};
use crate::table::column::{Bits, CHUNK, Slots};
use crate::table::{Table, Touch};
use crate::types::{Clock, Diff, Time, Word};
use crate::views::Change;
pub use difference::SegmentPlaces;
use difference::{Rows, Sides};
pub use listing::cell;
use pass::Pass;
pub use trial::Trial;

/// Chunks settled in one turn, so that whoever reads the updates takes them as they come.
const TURN_CHUNKS: usize = 32;

/// What the table tells.
#[derive(Clone, Debug)]
pub enum Told {
    Change(Change),
    Link(Link),
}

impl From<Change> for Told {
    fn from(change: Change) -> Told {
        Told::Change(change)
    }
}

/// One worker's customers, with all that is derived from them.
pub struct Customers {
    table: Table,
    rules: Compiled,
    /// What the settled chunks were settled under.
    settled_rules: Option<Compiled>,
    settled_clock: Clock,
    settled_catalog: Arc<Catalog>,
    settled_volumes: Arc<Volumes>,
    settled_latest: Option<Time>,
    settled: Vec<Arc<Chunk>>,
    pass: Option<Pass>,
    /// What customers were told and have not yet thought of.
    heard: Vec<Note>,
    emits_rows: bool,
    notes_entries: bool,
    difference: Difference,
    /// Of all that is settled.
    books: points::Books,
    /// The members of a segment that has none.
    nobody: Arc<Bits>,
}

/// How many rows epochs have changed.
#[derive(Clone, Default, Debug)]
pub struct Difference {
    /// Rows of `tier` that came, and went.
    pub tiers: (usize, usize),
    /// By segment: members that came, and went.
    pub members: HashMap<Word, (usize, usize), foldhash::fast::RandomState>,
    /// By campaign: targets that came, and went. Who is listed otherwise than before both came and went.
    pub targets: HashMap<Word, (usize, usize), foldhash::fast::RandomState>,
    /// Entries of points that changed after they were shown, where that is noted; and whether there were
    /// more than that.
    pub entries: Vec<points::EntryChange>,
    pub more_entries: bool,
}

/// What readers see of one worker at one epoch. A clone of pointers.
#[derive(Clone)]
pub struct Snapshot {
    pub clock: Clock,
    pub programme: Arc<Programme>,
    /// The rules by which its points were counted.
    pub points: Arc<points::Rules>,
    pub books: points::Books,
    pub catalog: Arc<Catalog>,
    pub services: Arc<Services>,
    pub fit: Arc<fit::Rules>,
    pub goals: Arc<goals::Rules>,
    pub volumes: Arc<Volumes>,
    /// The latest contact or feedback that ever came, taken back or not.
    pub latest: Option<Time>,
    pub chunks: Vec<Arc<Chunk>>,
}

impl Customers {
    /// No customers, an empty programme; worker `index` of `peers`. Emits counts only.
    pub fn new(index: usize, peers: usize) -> Customers {
        Customers {
            table: Table::new(index, peers),
            rules: Compiled::new(Arc::default(), &[]),
            settled_rules: None,
            settled_clock: Clock::default(),
            settled_catalog: Arc::default(),
            settled_volumes: Arc::default(),
            settled_latest: None,
            settled: Vec::new(),
            pass: None,
            heard: Vec::new(),
            emits_rows: false,
            notes_entries: false,
            difference: Difference::default(),
            books: points::Books::default(),
            nobody: Arc::new(Bits::none()),
        }
    }

    /// The same, emitting the differences of rows too. Where nobody reads them they are made
    /// for nothing.
    pub fn with_rows(index: usize, peers: usize) -> Customers {
        Customers { emits_rows: true, ..Customers::new(index, peers) }
    }

    /// Whether entries of points that change are noted: not while what stands is read again.
    pub fn note_entries(&mut self, is_noted: bool) {
        self.notes_entries = is_noted;
    }

    /// How many rows were changed since this was asked last.
    pub fn take_difference(&mut self) -> Difference {
        std::mem::take(&mut self.difference)
    }

    /// The customers as last settled. Not to be asked for while an epoch is being settled.
    pub fn snapshot(&self) -> Snapshot {
        assert!(self.pass.is_none(), "a snapshot was asked for in the middle of an epoch");
        Snapshot {
            clock: self.settled_clock,
            programme: self.rules.programme.clone(),
            points: self.rules.points.clone(),
            books: self.books,
            catalog: self.settled_catalog.clone(),
            services: self.rules.services.clone(),
            fit: self.rules.fit.clone(),
            goals: self.rules.goals.clone(),
            volumes: self.settled_volumes.clone(),
            latest: self.settled_latest,
            chunks: self.settled.clone(),
        }
    }

    fn old_rules(&self) -> &Compiled {
        self.settled_rules.as_ref().unwrap_or(&self.rules)
    }

    /// The chunks of a pass, last first.
    fn chunks(&mut self, every_chunk: bool) -> Vec<usize> {
        let mut chunks = std::mem::take(&mut self.table.touched);
        if every_chunk {
            chunks = (0..self.table.chunks.len()).collect();
        }
        chunks.sort_unstable_by(|left, right| right.cmp(left));
        chunks
    }

    /// Takes what customers were told into their chunks, and counts their points again.
    fn hear(&mut self, counting: &mut Vec<(usize, Option<Bits>)>) {
        let mut chunks: BTreeMap<usize, Vec<(u16, Note)>> = BTreeMap::new();
        for note in self.heard.drain(..) {
            let Some((chunk, slot)) = self.table.place(note.to) else { continue };
            chunks.entry(chunk).or_default().push((slot as u16, note));
        }
        for (index, notes) in chunks {
            let (chunk, touch) = self.table.touched_chunk(index);
            let mut slots = Bits::none();
            for (slot, _) in &notes {
                slots.set(usize::from(*slot), true);
                touch.add_points(usize::from(*slot));
            }
            Arc::make_mut(&mut chunk.transfers).hear(notes);
            counting.push((index, Some(slots)));
        }
    }

    /// Takes what customers were told, and counts points of some chunks. Returns whether that was all.
    fn count(&mut self, pass: &mut Pass, tell: &mut Vec<Note>) -> bool {
        self.hear(&mut pass.counting);
        for _ in 0..TURN_CHUNKS {
            let Some((index, slots)) = pass.counting.pop() else { break };
            self.count_points(pass.every_balance, index, slots, tell);
        }
        pass.counting.is_empty() && self.heard.is_empty()
    }

    /// Counts points of a chunk, and tells whom it concerns.
    fn count_points(&mut self, every_balance: bool, index: usize, slots: Option<Bits>, tell: &mut Vec<Note>) {
        let chunk = &self.table.chunks[index];
        let touch = self.table.touches.get(index).and_then(Option::as_deref);
        let slots = slots.unwrap_or_else(|| counted(every_balance, touch, chunk));
        let is_named = |word: Word, name: &str| self.table.is_named(word, name);
        let rewound = rewound(every_balance, touch);
        let chunks = (self.settled.get(index).unwrap_or(chunk).as_ref(), chunk.as_ref());
        let rules = &self.rules.points;
        let points::Settled { balances, news, went_on } =
            points::settle(chunks, slots.slots(), &rewound, rules, self.table.clock.now, &is_named);
        for (key, said) in &news {
            let (from, to) = (self.table.customer(index, usize::from(key.0)), key.3);
            let (at, id) = (key.1, key.2.clone());
            match said {
                // Nobody hands anything to himself.
                Said::Offers(offer) if to == from => {
                    self.heard.push(Note { to, from, at, id, said: Said::Declines(offer.is_some()) });
                }
                said => tell.push(Note { to, from, at, id, said: *said }),
            }
        }
        if let Some(touch) = self.table.touches.get_mut(index).and_then(Option::as_deref_mut) {
            // Who was told something since has been counted whole.
            touch.went_on.subtract(&slots);
            touch.went_on.union(&went_on);
        }
        let chunk = Arc::make_mut(&mut self.table.chunks[index]);
        chunk.points = balances;
        if !news.is_empty() {
            Arc::make_mut(&mut chunk.transfers).tell(&news);
        }
    }

    /// Decides one chunk anew and counts how it differs from what was settled.
    fn settle_chunk(&mut self, pass: &mut Pass, index: usize, emit: &mut Vec<(Told, Diff)>) {
        let touch = self.table.touches.get_mut(index).and_then(Option::take);
        let touched = touch.as_deref().map_or(NOBODY, |touch| selected(&touch.slots));
        let Some(after) = self.decided(pass, index, (touch.as_deref(), &touched), true) else { return };
        if self.notes_entries && (touch.is_some() || pass.everybody) {
            self.note_changes(pass, index, touch.as_deref(), &after);
        }
        let slots = if pass.everybody { &Slots::All } else { &touched };
        let since = touch.map_or_else(BTreeMap::new, |touch| touch.since);
        self.tell(pass, index, after, (slots, &since), emit);
    }

    /// What a chunk comes to; none where nothing of it is decided anew, or nothing came of that. Without `months` those
    /// before `as_of` are left as they were.
    fn decided(
        &self,
        pass: &Pass,
        index: usize,
        (touch, touched): (Option<&Touch>, &Slots),
        months: bool,
    ) -> Option<Chunk> {
        let moment = Moment::of(self.table.clock, self.rules.programme.window, self.rules.programme.lag);
        let working = &self.table.chunks[index];
        let listings = &pass.listings;
        if touch.is_none() && !pass.everybody {
            let members = self.edited_members(pass, moment, working);
            if same(&members, &working.segments) && !listings.is_any() {
                return None;
            }
            let mut after = Chunk { segments: Arc::new(members), ..Chunk::clone(working) };
            listings.place(&mut after);
            self.relist(listings, moment, &mut after);
            return Some(after);
        }
        let mut after = Chunk::clone(working);
        listings.place(&mut after);
        let slots = if pass.everybody { &Slots::All } else { touched };
        let listed = after.listed();
        if months {
            self.settle_history(pass, touch, touched, &listed, moment, &mut after);
        }
        self.settle_now(pass, slots, &listed, moment, &mut after);
        Some(after)
    }

    /// Tells how a chunk differs from what was settled, and settles it. Customers outside `slots`
    /// have kept their class; those that `since` does not name have but later events than before, if any.
    fn tell(
        &mut self,
        pass: &mut Pass,
        index: usize,
        after: Chunk,
        (slots, since): (&Slots, &BTreeMap<u16, Time>),
        emit: &mut Vec<(Told, Diff)>,
    ) {
        let before = self.settled.get(index).cloned().unwrap_or_else(|| CHUNK_EMPTY.with(Arc::clone));
        let customer = |slot| self.table.customer(index, slot);
        let sides = Sides {
            before: (&before, self.settled_rules.as_ref().unwrap_or(&self.rules), self.settled_clock),
            after: (&after, &self.rules, self.table.clock),
            same_tiers: !pass.every_class,
        };
        let mut rows = Rows {
            emit,
            tiers: (0, 0),
            members: &mut self.difference.members,
            targets: &mut self.difference.targets,
            are_read: self.emits_rows,
        };
        sides.tiers(slots, &customer, &mut pass.counts, &mut rows);
        sides.ranks(slots, &mut pass.counts);
        sides.books(slots, &mut self.books);
        sides.stages(slots, &mut pass.counts);
        sides.services(&mut pass.counts);
        sides.drives(slots, &mut pass.counts);
        sides.moves(&mut pass.counts);
        sides.members(&pass.segments, &customer, &mut pass.counts, &mut rows);
        sides.targets(&pass.listings, &customer, &mut pass.counts, &mut rows);
        let both = ((sides.before.0, sides.before.1), (sides.after.0, sides.after.1));
        pass.effects.gather(both, slots, &pass.segments, &mut pass.counts);
        let (came, went) = rows.tiers;
        referrals::tell(
            (&before, &after),
            slots,
            since,
            &customer,
            &|word, name| self.table.is_named(word, name),
            &mut pass.counts,
            emit,
        );
        self.difference.tiers = (self.difference.tiers.0 + came, self.difference.tiers.1 + went);

        if !Arc::ptr_eq(&before.points, &after.points) || !Arc::ptr_eq(&before.targets, &after.targets) {
            self.table.set_dues(index, after.points.next_due(), after.targets.next_due());
        }
        let after = Arc::new(after);
        self.table.chunks[index] = after.clone();
        if self.settled.len() <= index {
            self.settled.resize_with(index + 1, || CHUNK_EMPTY.with(Arc::clone));
        }
        self.settled[index] = after;
    }

    /// Notes how entries differ from those that were shown.
    fn note_changes(&mut self, pass: &Pass, index: usize, touch: Option<&Touch>, after: &Chunk) {
        let Some(before) = self.settled.get(index).cloned() else { return };
        let mut slots = counted(pass.every_balance, touch, after);
        touch.inspect(|touch| slots.subtract(&touch.went_on));
        let mut entries = std::mem::take(&mut self.difference.entries);
        let side = |chunk, rules, clock: Clock| points::changes::Side { chunk, rules, now: clock.now };
        let sides = (
            side(&before, &self.old_rules().points, self.settled_clock),
            side(after, &self.rules.points, self.table.clock),
        );
        let customer = |slot| self.table.customer(index, slot);
        let is_named = |word: Word, name: &str| self.table.is_named(word, name);
        let rewound = rewound(pass.every_balance, touch);
        let is_all = points::changes::changes(sides, slots.slots(), &rewound, &customer, &is_named, &mut entries);
        self.difference.entries = entries;
        self.difference.more_entries |= !is_all;
    }

    /// A pass over a chunk whose balances are settled.
    fn frame<'a>(&'a self, chunk: &'a Chunk, slots: &'a Slots, moment: Moment) -> Frame<'a> {
        let frame = Frame::new(chunk, slots, moment, &self.table.words);
        let frame = frame.with_points(&self.rules.points).with_services(&self.rules.services);
        let frame = frame.with_responses(&self.rules.responses, &self.table.catalog);
        frame.with_stages(self.rules.programme.stages, self.rules.stages).with_drives(&self.rules.drives)
    }
}

/// Whose points are counted anew.
fn counted(every_balance: bool, touch: Option<&Touch>, chunk: &Chunk) -> Bits {
    let mut slots = touch.map_or_else(Bits::none, |touch| touch.points.clone());
    if every_balance {
        slots.union(&chunk.points.present);
    }
    slots
}

/// Whose points depend on more than what was counted and events since.
fn rewound(every_balance: bool, touch: Option<&Touch>) -> Bits {
    touch.filter(|_| !every_balance).map_or_else(Bits::all, |touch| touch.rewound.clone())
}

const NOBODY: Slots = Slots::Some(Vec::new());

/// Whether members stand where they stood.
fn same(one: &[Arc<Bits>], other: &[Arc<Bits>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

impl Keyed for Customers {
    type Part = Arc<Facts>;
    type Row = Told;

    fn apply(&mut self, facts: Arc<Facts>) {
        // A programme is compiled against the vocabulary that comes with it.
        self.table.write(&facts, self.rules.reach(), &self.rules.points, self.rules.programme.stages);
        if let Some(programme) = &facts.programme {
            let new = Compiled::new(programme.clone(), &self.table.words);
            let old = std::mem::replace(&mut self.rules, new);
            self.settled_rules.get_or_insert(old);
        }
    }

    fn settle(&mut self, emit: &mut Vec<(Told, Diff)>) -> bool {
        let mut pass = match self.pass.take() {
            Some(pass) => pass,
            None => self.begin(),
        };
        let mut chunks = pass.chunks.take().unwrap_or_else(|| self.chunks(pass.every_chunk));
        for _ in 0..TURN_CHUNKS {
            let Some(index) = chunks.pop() else { break };
            self.settle_chunk(&mut pass, index, emit);
        }
        if chunks.is_empty() {
            pass.effects.tell(&mut pass.counts);
            pass.counts.emit(emit);
            self.settled_rules = None;
            self.settled_clock = self.table.clock;
            self.settled_catalog = self.table.catalog.clone();
            self.settled_volumes = self.table.volumes.clone();
            self.settled_latest = self.table.latest;
            return true;
        }
        pass.chunks = Some(chunks);
        self.pass = Some(pass);
        false
    }
}

impl Agreeing for Customers {
    type Note = Note;

    fn address(note: &Note) -> u64 {
        u64::from(note.to.0)
    }

    fn take(&mut self, note: Note) {
        self.heard.push(note);
    }

    fn agree(&mut self, tell: &mut Vec<Note>) -> bool {
        let mut pass = match self.pass.take() {
            Some(pass) => pass,
            None => self.begin(),
        };
        let is_all = self.count(&mut pass, tell);
        self.pass = Some(pass);
        is_all
    }
}

/// The customers of a touch. From a quarter of the chunk on, whole columns are faster.
fn selected(touched: &Bits) -> Slots {
    if touched.count() > CHUNK / 4 {
        Slots::All
    } else {
        Slots::Some(touched.slots().map(|slot| slot as u16).collect())
    }
}
