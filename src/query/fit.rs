//! Fit as rows, and as answers: a customer's best products, a product's best customers, a channel's best use.

use dataflows::fit::{Rates, Scored, Scores};
use dataflows::records::FeedbackKind;
use dataflows::table::Chunk;
use dataflows::table::chunk::ABSENT;
use dataflows::table::column::Bits;
use dataflows::table::moments::of_slot;
use dataflows::types::{CustomerIx, SECONDS_PER_DAY, Word};
use serde::Serialize;

use super::Cell;
use super::customers::by_id;
use super::rows::{Sources, Visit, id};
use crate::engine::Published;
use crate::programme::{Document, SellingPoint};
use crate::store::Names;

/// Most customers of a product that are told at a time.
pub const CUSTOMERS_MAX: usize = 10_000;

/// A product on a channel, for a customer.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Suits {
    pub product_id: String,
    pub channel_id: String,
    pub customer_product: String,
    pub product_channel: String,
    pub customer_channel: String,
    pub score: String,
    /// What is said for it.
    pub selling_point: Option<String>,
}

/// A customer whom a product suits.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Suited {
    pub customer_id: String,
    #[serde(flatten)]
    pub best: Suits,
}

/// What a channel is best used for.
#[derive(Serialize, PartialEq, Eq, Debug)]
pub struct Used {
    pub product_id: String,
    pub product_channel: String,
}

/// What scores are computed with, at one epoch.
pub struct Fit<'a> {
    published: &'a Published,
    names: &'a Names,
    document: &'a Document,
    rates: std::sync::Arc<Rates>,
}

impl<'a> Fit<'a> {
    pub fn new(published: &'a Published, names: &'a Names, document: &'a Document) -> Fit<'a> {
        Fit { published, names, document, rates: published.rates() }
    }

    /// Computes with scores; not at all where the programme has no `[fit]`.
    fn with<T>(&self, compute: impl FnOnce(&Scores<'_>) -> T) -> Option<T> {
        let text = |word: Word| self.names.words.text(word.0).unwrap_or_default();
        let scores = || Scores::new(&self.published.fit, &self.published.catalog, &self.rates, &text);
        self.published.fit.is_there.then(|| compute(&scores()))
    }

    /// A customer's best products, the best first; of one product every channel.
    pub fn of_customer(&self, customer: CustomerIx, product: Option<Word>) -> Vec<Suits> {
        let Some((chunk, slot)) = self.published.customer(customer) else { return Vec::new() };
        let scored = self.with(|scores| match product {
            None => scores.of(chunk).best(slot),
            Some(product) => {
                let mut pairs = scores.of(chunk).pairs(slot);
                pairs.retain(|scored| scored.product == product);
                pairs.sort_by_key(|scored| std::cmp::Reverse(scored.score));
                pairs
            }
        });
        scored.unwrap_or_default().into_iter().map(|scored| self.suits(chunk, slot, scored)).collect()
    }

    /// A customer's score of every product on every channel that his terminal takes.
    pub fn pairs(&self, customer: CustomerIx) -> Vec<Scored> {
        let Some((chunk, slot)) = self.published.customer(customer) else { return Vec::new() };
        self.with(|scores| scores.of(chunk).pairs(slot)).unwrap_or_default()
    }

    /// Visits the best products of everybody, the best first, on every core: customers in no order.
    pub fn best_of_everybody(&self, visit: impl Fn(CustomerIx, &[Scored]) + Sync) {
        let chunks: Vec<_> = self.published.chunks().collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for part in chunks.chunks(chunks.len().div_ceil(threads).max(1)) {
                let visit = &visit;
                scope.spawn(move || {
                    self.with(|scores| {
                        for (chunk, customer) in part {
                            let of = scores.of(chunk);
                            population(chunk).slots().for_each(|slot| visit(customer(slot), &of.best(slot)));
                        }
                    });
                });
            }
        });
    }

    /// The customers whom a product suits most, each over his best channel: the greatest score first, then by id.
    pub fn of_product(&self, product: Word, limit: usize) -> Vec<Suited> {
        let id = |customer: CustomerIx| self.names.customers.text(customer.0).unwrap_or_default();
        let best = self.with(|scores| {
            let mut best: Vec<(i64, &str, CustomerIx, Scored)> = Vec::new();
            for (chunk, customer) in self.published.chunks() {
                let of = scores.of(chunk);
                for slot in population(chunk).slots() {
                    let Some(scored) = of.best_of(slot, product) else { continue };
                    best.push((-scored.score, id(customer(slot)), customer(slot), scored));
                }
                if best.len() > 2 * limit.max(CUSTOMERS_MAX) {
                    best.sort_unstable();
                    best.truncate(limit);
                }
            }
            best.sort_unstable();
            best.truncate(limit);
            best
        });
        let suited = |(_, id, customer, scored): (i64, &str, CustomerIx, Scored)| {
            let (chunk, slot) = self.published.customer(customer)?;
            Some(Suited { customer_id: id.to_owned(), best: self.suits(chunk, slot, scored) })
        };
        best.unwrap_or_default().into_iter().filter_map(suited).collect()
    }

    /// The products that a channel is best for: the greatest score first, then by id.
    pub fn of_channel(&self, channel: Word) -> Vec<Used> {
        let used = self.with(|scores| {
            let place = scores.channels().position(|of| of == channel)?;
            let mut used: Vec<(i64, Word)> =
                scores.by_channel(place).map(|(product, score)| (-score, product)).collect();
            used.sort_by_key(|(score, _)| *score);
            Some(used)
        });
        let text = |word: Word| self.names.words.text(word.0).unwrap_or_default().to_owned();
        let row =
            |(score, product): (i64, Word)| Used { product_id: text(product), product_channel: hundredths(-score) };
        used.flatten().unwrap_or_default().into_iter().map(row).collect()
    }

    fn suits(&self, chunk: &Chunk, slot: usize, scored: Scored) -> Suits {
        let text = |word: Word| self.names.words.text(word.0).unwrap_or_default();
        let points = &self.document.selling_points;
        let point = selling_point(points, text(scored.product), self.published, chunk, slot);
        Suits {
            product_id: text(scored.product).to_owned(),
            channel_id: text(scored.channel).to_owned(),
            customer_product: hundredths(scored.customer_product),
            product_channel: hundredths(scored.product_channel),
            customer_channel: hundredths(scored.customer_channel),
            score: hundredths(scored.score),
            selling_point: point.map(|point| point.text.clone()),
        }
    }
}

fn hundredths(score: i64) -> String {
    Cell::Hundredths(score.into()).to_string()
}

/// What is said for a product to a customer: the first point that is for him.
pub fn selling_point<'p>(
    points: &'p [SellingPoint],
    product: &str,
    published: &Published,
    chunk: &Chunk,
    slot: usize,
) -> Option<&'p SellingPoint> {
    points.iter().find(|point| {
        let is_for =
            point.kin.as_ref().is_none_or(|kin| dataflows::fit::is_kin(kin, &published.programme, chunk, slot));
        point.product == product && is_for
    })
}

fn population(chunk: &Chunk) -> Bits {
    let mut population = Bits::none();
    chunk.class.iter().enumerate().for_each(|(slot, class)| population.set(slot, *class != ABSENT));
    population
}

/// The best five of everybody.
pub(super) fn fit<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, document, .. } = sources;
    let text = |word: Word| names.words.text(word.0);
    let visited = Fit::new(published, names, document).with(|scores| {
        // Customers come by id, and with each another chunk: what is read off a chunk is read once.
        let of: std::collections::HashMap<_, _> =
            published.chunks().map(|(chunk, _)| (std::sync::Arc::as_ptr(chunk), scores.of(chunk))).collect();
        for customer in by_id(published, names, population) {
            let Some((chunk, slot)) = published.customer(customer) else { continue };
            let Some(of) = of.get(&std::sync::Arc::as_ptr(chunk)) else { continue };
            let mut best = of.best(slot);
            best.sort_unstable_by_key(|scored| text(scored.product));
            for scored in best {
                let scores = [scored.customer_product, scored.product_channel, scored.customer_channel, scored.score];
                let mut row = vec![id(names, customer), Cell::text(text(scored.product))];
                row.push(Cell::text(text(scored.channel)));
                row.extend(scores.map(|score| Cell::Hundredths(score.into())));
                visit(&row)?;
            }
        }
        Ok(())
    });
    visited.unwrap_or(Ok(()))
}

/// Orders and cancellations of the members of each segment by channel, and how they prefer it.
pub(super) fn channel_preference<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, document, .. } = sources;
    let fit = Fit::new(published, names, document);
    let rows = fit.with(|scores| {
        let sums = fit.rates.sums();
        let mut rows: Vec<Vec<Cell<'_>>> = Vec::new();
        for (place, segment) in published.programme.segments.iter().enumerate() {
            let preferred = scores.channels().zip(scores.preference(Some(place)));
            for (channel, score) in preferred {
                let count = |of: &std::collections::BTreeMap<Word, Vec<i64>>| {
                    of.get(&channel).and_then(|counts| counts.get(place + 1)).copied().unwrap_or(0)
                };
                let (orders, cancels) = (count(&sums.orders), count(&sums.cancels));
                if orders + cancels > 0 {
                    let [segment, channel] = [Some(segment.id.as_str()), names.words.text(channel.0)].map(Cell::text);
                    let score = Cell::Hundredths(score.into());
                    rows.push(vec![segment, channel, Cell::Integer(orders), Cell::Integer(cancels), score]);
                }
            }
        }
        rows.sort();
        rows
    });
    rows.unwrap_or_default().iter().try_for_each(|row| visit(row))
}

/// The hour of the day in which a customer responds most: opens, asks or orders. Of equal hours the earliest.
pub(super) fn best_hour<E>(sources: Sources<'_>, visit: Visit<'_, E>) -> Result<(), E> {
    let Sources { published, names, .. } = sources;
    let responsive = |chunk: &Chunk| {
        let mut slots = Bits::none();
        let responses = chunk.feedbacks.rows().iter().filter(|(_, feedback)| is_response(feedback.kind));
        responses.for_each(|((slot, ..), _)| slots.set(usize::from(*slot), true));
        slots
    };
    for customer in by_id(published, names, responsive) {
        let Some((chunk, slot)) = published.customer(customer) else { continue };
        let mut hours = [0i64; 24];
        for ((_, at, _), _) in of_slot(&chunk.feedbacks, slot).iter().filter(|(_, of)| is_response(of.kind)) {
            hours[(at.0.rem_euclid(SECONDS_PER_DAY) / 3_600) as usize] += 1;
        }
        let most = hours.iter().copied().max().unwrap_or(0);
        let hour = hours.iter().position(|count| *count == most).unwrap_or(0);
        let counts = [hour as i64, most, hours.iter().sum()].map(Cell::Integer);
        let row: Vec<Cell<'_>> = [id(names, customer)].into_iter().chain(counts).collect();
        visit(&row)?;
    }
    Ok(())
}

fn is_response(kind: FeedbackKind) -> bool {
    matches!(kind, FeedbackKind::Open | FeedbackKind::Consult | FeedbackKind::Order)
}
