//! Scores of customers, by rates.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;

use super::logarithm::{logarithm, mean};
use super::rules::{Place, Rules};
use super::{FULL, Rates};
use crate::facts::Product;
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::chunk::ABSENT;
use crate::table::column::{Bits, CHUNK};
use crate::table::sorted::Sorted;
use crate::targets::needs;
use crate::types::Word;

/// Products of a customer that are his best.
pub const BEST: usize = 5;

/// How well a product suits a customer over a channel, in hundredths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Scored {
    pub product: Word,
    pub channel: Word,
    pub customer_product: i64,
    pub product_channel: i64,
    pub customer_channel: i64,
    pub score: i64,
}

/// What is the same for everybody.
pub struct Scores<'a> {
    rules: &'a Rules,
    text: &'a dyn Fn(Word) -> &'a str,
    /// By id.
    products: Vec<(Word, Product)>,
    /// What they ask of a terminal, by place.
    asks: Vec<&'a str>,
    /// By id, each with what it asks of a terminal.
    channels: Vec<(Word, Option<&'static str>)>,
    /// By product and segment.
    lifts: Vec<Vec<i64>>,
    /// Affinities that name a product, or its category.
    affinities: Vec<Vec<(Place, i64)>>,
    /// By product and channel; and what that weighs: none where it makes the whole 0.
    product_channel: Vec<Vec<(i64, Option<i64>)>>,
    /// By group (everybody first) and channel.
    used: Vec<Vec<i64>>,
    /// What is mixed into the own use of whoever is of some groups.
    mixed: RefCell<HashMap<Vec<usize>, Rc<Mixed>, foldhash::fast::RandomState>>,
    /// Whether a terminal has what is asked, by both.
    usable: RefCell<HashMap<(Word, usize), bool, foldhash::fast::RandomState>>,
}

impl<'a> Scores<'a> {
    /// By these rates. `text` is that of a word.
    pub fn new(rules: &'a Rules, catalog: &Catalog, rates: &Rates, text: &'a dyn Fn(Word) -> &'a str) -> Scores<'a> {
        let mut products: Vec<(Word, Product)> = catalog.products().collect();
        products.sort_unstable_by_key(|(product, _)| text(*product));
        let mut channels: Vec<Word> = catalog.channels().map(|(channel, _)| channel).collect();
        channels.sort_unstable_by_key(|channel| text(*channel));
        let affinities = |(word, product): &(Word, Product)| {
            let names = |one: Option<Word>, other: Word| one.is_some_and(|one| one == other);
            let of = rules
                .affinities
                .iter()
                .filter(|affinity| names(affinity.product, *word) || names(affinity.category, product.category));
            of.map(|affinity| (affinity.kin, affinity.points)).collect()
        };
        let sums = rates.sums();
        let used = |group: usize| {
            let of = |channel: &Word| sums.used.get(channel).and_then(|used| used.get(group)).copied().unwrap_or(0);
            channels.iter().map(of).collect()
        };
        let lifts = |(product, _): &(Word, Product)| {
            (1..=rules.segments).map(|group| lift(rates, *product, group, rules.smoothing)).collect()
        };
        let by_channel = |(product, _): &(Word, Product)| {
            let scores = by_channel(rates, *product, &channels, rules.smoothing);
            scores.into_iter().map(|score| (score, weighed(score, rules.weights[1]))).collect()
        };
        Scores {
            rules,
            text,
            lifts: products.iter().map(lifts).collect(),
            affinities: products.iter().map(affinities).collect(),
            product_channel: products.iter().map(by_channel).collect(),
            used: (0..=rules.segments).map(used).collect(),
            mixed: RefCell::default(),
            asks: products.iter().map(|(_, product)| text(product.requires)).collect(),
            channels: channels.iter().map(|channel| (*channel, needs(text(*channel)))).collect(),
            products,
            usable: RefCell::default(),
        }
    }

    /// Products, by id.
    pub fn products(&self) -> impl Iterator<Item = Word> + '_ {
        self.products.iter().map(|(product, _)| *product)
    }

    /// Channels, by id.
    pub fn channels(&self) -> impl Iterator<Item = Word> + '_ {
        self.channels.iter().map(|(channel, _)| *channel)
    }

    /// How the members of a segment, or everybody, use channels: each as a share of the one that is used most.
    pub fn preference(&self, segment: Option<usize>) -> Vec<i64> {
        let group = segment.map_or(0, |place| place + 1);
        let used = &self.mixed(&[group]).used;
        let best = used.iter().copied().max().unwrap_or(0);
        used.iter().map(|used| of_best(*used, best)).collect()
    }

    /// The scores of customers of a chunk.
    pub fn of<'c>(&'c self, chunk: &'c Chunk) -> OfChunk<'c, 'a> {
        let mut used = vec![0; CHUNK * self.channels.len()];
        for orders in chunk.orders.values() {
            for ((slot, ..), order) in orders.rows.rows() {
                if let Some(place) = self.channels.iter().position(|(channel, _)| *channel == order.channel) {
                    used[usize::from(*slot) * self.channels.len() + place] += 1;
                }
            }
        }
        let mut supports = vec![Word::NULL; CHUNK];
        chunk.terminals.rows().iter().for_each(|((slot, _), word)| supports[usize::from(*slot)] = *word);
        let of_product = |(product, _): &(Word, Product)| OfProduct {
            holders: chunk.orders.get(product).map(|orders| &orders.holders),
            foretold: self.rules.models.get(product).and_then(|model| chunk.scores.get(model)).map(|scores| &**scores),
        };
        OfChunk { scores: self, chunk, used, supports, products: self.products.iter().map(of_product).collect() }
    }

    /// The score of each product on the channel at a place.
    pub fn by_channel(&self, channel: usize) -> impl Iterator<Item = (Word, i64)> + '_ {
        self.products().zip(self.product_channel.iter().map(move |scores| scores[channel].0))
    }

    /// Whether a terminal has all that is asked; `at` tells what asks.
    fn is_usable(&self, supports: Word, at: usize, asks: &str) -> bool {
        let all = || asks.split(';').all(|asked| (self.text)(supports).split(';').any(|has| has == asked));
        *self.usable.borrow_mut().entry((supports, at)).or_insert_with(all)
    }

    /// Each channel's customer-channel, of those that may be taken.
    fn shares(&self, own: &[u32], groups: &[usize], takes: impl Fn(usize) -> bool) -> Vec<Option<i64>> {
        let mixed = self.mixed(groups);
        let smoothing = i128::from(self.rules.smoothing);
        let part = |channel: usize| i128::from(own[channel]) * mixed.all + smoothing * mixed.used[channel];
        let parts: Vec<Option<i128>> = (0..own.len()).map(|channel| takes(channel).then(|| part(channel))).collect();
        let best = parts.iter().flatten().copied().max().unwrap_or(0);
        parts.into_iter().map(|part| part.map(|part| of_best(part, best))).collect()
    }

    /// What is mixed into the own use of whoever is of these groups; of everybody's where they used nothing.
    fn mixed(&self, groups: &[usize]) -> Rc<Mixed> {
        if let Some(mixed) = self.mixed.borrow().get(groups) {
            return mixed.clone();
        }
        let sums = |groups: &[usize]| -> Vec<i128> {
            let of = |channel| groups.iter().filter_map(|group| self.used.get(*group)).map(move |used| used[channel]);
            (0..self.channels.len()).map(|channel| of(channel).map(i128::from).sum()).collect()
        };
        let mut prior = sums(groups);
        if prior.iter().all(|used| *used == 0) {
            prior = sums(&[0]);
        }
        let mixed = Rc::new(Mixed { all: prior.iter().sum::<i128>().max(1), used: prior });
        self.mixed.borrow_mut().insert(groups.to_vec(), mixed.clone());
        mixed
    }
}

/// What is mixed into somebody's own use of channels.
struct Mixed {
    /// Orders and cancellations together; 1 where there are none.
    all: i128,
    /// By channel.
    used: Vec<i128>,
}

/// A part as a share of the best; where the best is nothing, all are best.
fn of_best(part: i128, best: i128) -> i64 {
    // Division in 64 bits is several times faster, and nearly always enough.
    match (u64::try_from(part * i128::from(FULL)), u64::try_from(best)) {
        _ if best == 0 => FULL,
        (Ok(part), Ok(best)) => (part / best) as i64,
        _ => (i128::from(FULL) * part / best) as i64,
    }
}

/// 50.00 times what part of a segment holds a product, to what part of everybody does.
fn lift(rates: &Rates, product: Word, group: usize, smoothing: i64) -> i64 {
    let of = |counts: Option<&Vec<i64>>, group: usize| {
        counts.and_then(|counts| counts.get(group)).copied().map_or(0, i128::from)
    };
    let (customers, holders) = (Some(&rates.sums().customers), rates.sums().holders.get(&product));
    let (all, held) = (of(customers, 0), of(holders, 0));
    let (members, held_there) = (of(customers, group), of(holders, group));
    let smoothing = i128::from(smoothing);
    let below = (members + smoothing) * held;
    if below == 0 {
        return FULL / 2;
    }
    let lift = i128::from(FULL / 2) * (held_there * all + smoothing * held) / below;
    lift.min(i128::from(FULL)) as i64
}

/// product-channel of each channel.
fn by_channel(rates: &Rates, product: Word, channels: &[Word], smoothing: i64) -> Vec<i64> {
    let sums = rates.sums();
    let smoothing = i128::from(smoothing);
    let all: i128 = sums.ordered.values().copied().map(i128::from).sum();
    let ordered = |channel: &Word| {
        let over = sums.ordered.iter().filter(|((_, of), _)| of == channel);
        let over: i128 = over.map(|(_, count)| i128::from(*count)).sum();
        let own = sums.ordered.get(&(product, *channel)).copied().map_or(0, i128::from);
        own * all + smoothing * over
    };
    let ordered: Vec<i128> = channels.iter().map(ordered).collect();
    let best = ordered.iter().copied().max().unwrap_or(0);
    let (reached_all, ordered_all) = (i128::from(sums.reached_all.0), i128::from(sums.reached_all.1));
    // Successes above, customers below; the first comes to nothing where the second does.
    let success = |channel: &Word| {
        let (reached, ordered) = sums.reached.get(&(product, *channel)).copied().unwrap_or_default();
        (i128::from(ordered) * reached_all + smoothing * ordered_all, (i128::from(reached) + smoothing).max(1))
    };
    let success: Vec<(i128, i128)> = channels.iter().map(success).collect();
    let most = success.iter().copied().reduce(|one, other| if other.0 * one.1 > one.0 * other.1 { other } else { one });
    let (most, of) = most.unwrap_or((0, 1));
    let scores = ordered.into_iter().zip(success).map(|(part, (won, reached))| {
        let first = of_best(part, best);
        if reached_all == 0 { first } else { (first + of_best(won * of, most * reached)) / 2 }
    });
    scores.collect()
}

/// What a score weighs in the whole, as a logarithm. None where it makes the whole 0.
fn weighed(score: i64, weight: i64) -> Option<i64> {
    if weight == 0 { Some(0) } else { logarithm(score).map(|logarithm| logarithm * weight) }
}

/// Scores of the customers of a chunk.
pub struct OfChunk<'c, 'a> {
    scores: &'c Scores<'a>,
    chunk: &'c Chunk,
    /// Own orders and cancellations by slot and channel.
    used: Vec<u32>,
    supports: Vec<Word>,
    /// By place.
    products: Vec<OfProduct<'c>>,
}

/// What a chunk knows of a product.
#[derive(Clone, Copy)]
struct OfProduct<'c> {
    holders: Option<&'c Bits>,
    /// What its model says.
    foretold: Option<&'c Sorted<u16, i64>>,
}

impl OfChunk<'_, '_> {
    /// Every product on every channel that his terminal takes, by product and channel id; none of who is not in the
    /// population.
    pub fn pairs(&self, slot: usize) -> Vec<Scored> {
        self.pairs_of(slot, |_| true)
    }

    fn pairs_of(&self, slot: usize, is_asked: impl Fn(Word) -> bool) -> Vec<Scored> {
        let Some(customer) = self.customer(slot) else { return Vec::new() };
        let scores = self.scores;
        let asked = (0..scores.products.len()).filter(|product| is_asked(scores.products[*product].0));
        let products = asked.map(|product| (product, self.customer_product(&customer, product)));
        let scored = products.flat_map(|(product, suits)| {
            let channels = customer.channels.iter().enumerate();
            channels.filter_map(move |(channel, takes)| Some(self.scored(product, suits, channel, (*takes)?)))
        });
        scored.collect()
    }

    /// His best products, the best first, each on its best channel.
    pub fn best(&self, slot: usize) -> Vec<Scored> {
        let Some(customer) = self.customer(slot) else { return Vec::new() };
        let weights = self.scores.rules.weights;
        let channels: Vec<(usize, i64)> = (customer.channels.iter().enumerate())
            .filter_map(|(channel, takes)| Some((channel, weighed((*takes)?, weights[2])?)))
            .collect();
        let mut best: Vec<(i64, usize, i64, usize)> = Vec::with_capacity(BEST + 1);
        let perfect = weighed(FULL, weights[0]).unwrap_or(0);
        for product in 0..self.scores.products.len() {
            let by_channel = &self.scores.product_channel[product];
            let over = channels.iter().filter_map(|(channel, takes)| Some((by_channel[*channel].1? + takes, *channel)));
            // Of equals the first.
            let over = over.reduce(|one, other| if other.0 > one.0 { other } else { one });
            let Some((over, channel)) = over else { continue };
            // What not even a customer whom it suits perfectly would put among the best is not looked at further.
            if best.get(BEST - 1).is_some_and(|(last, ..)| perfect + over <= *last) {
                continue;
            }
            let suits = self.customer_product(&customer, product);
            if suits == 0 {
                continue;
            }
            if let Some(suiting) = weighed(suits, weights[0]) {
                let whole = suiting + over;
                let place = best.partition_point(|(held, ..)| *held >= whole);
                if place < BEST {
                    best.insert(place, (whole, product, suits, channel));
                    best.truncate(BEST);
                }
            }
        }
        let scored = |(_, product, suits, channel): (i64, usize, i64, usize)| {
            customer.channels[channel].map(|takes| self.scored(product, suits, channel, takes))
        };
        best.into_iter().filter_map(scored).collect()
    }

    /// One product on his best channel; none where it does not suit him at all.
    pub fn best_of(&self, slot: usize, product: Word) -> Option<Scored> {
        let own = self.pairs_of(slot, |of| of == product);
        let suiting = own.into_iter().filter(|scored| scored.score > 0);
        // Of equals the first.
        suiting.reduce(|one, other| if other.score > one.score { other } else { one })
    }

    fn scored(&self, product: usize, customer_product: i64, channel: usize, customer_channel: i64) -> Scored {
        let Scores { rules, products, channels, product_channel, .. } = self.scores;
        let (product_channel, over) = product_channel[product][channel];
        let [first, _, last] = rules.weights;
        let suits = weighed(customer_product, first).filter(|_| customer_product > 0);
        let whole =
            suits.zip(over).zip(weighed(customer_channel, last)).map(|((suits, over), takes)| suits + over + takes);
        let score = whole.map_or(0, |whole| mean(whole, rules.weights.iter().sum()));
        let (product, channel) = (products[product].0, channels[channel].0);
        Scored { product, channel, customer_product, product_channel, customer_channel, score }
    }

    fn customer(&self, slot: usize) -> Option<Customer> {
        let class = self.chunk.class[slot];
        if class == ABSENT {
            return None;
        }
        let members = self.chunk.segments.iter().enumerate().filter(|(_, members)| members.get(slot));
        let segments: Vec<usize> = members.map(|(place, _)| place).collect();
        let groups: Vec<usize> = segments.iter().map(|place| place + 1).collect();
        let width = self.scores.channels.len();
        let own = &self.used[slot * width..(slot + 1) * width];
        let supports = self.supports[slot];
        let takes = |channel: usize| {
            let asked = self.scores.channels[channel].1;
            // Products come before channels in what is remembered.
            let at = self.scores.products.len() + channel;
            asked.is_none_or(|asked| self.scores.is_usable(supports, at, asked))
        };
        Some(Customer { slot, class, supports, channels: self.scores.shares(own, &groups, takes), segments })
    }

    fn customer_product(&self, customer: &Customer, product: usize) -> i64 {
        let Scores { rules, asks, lifts, affinities, .. } = self.scores;
        let OfProduct { holders, foretold } = self.products[product];
        if holders.is_some_and(|holders| holders.get(customer.slot)) {
            return 0;
        }
        let asked = asks[product];
        if !asked.is_empty() && !self.scores.is_usable(customer.supports, product, asked) {
            return 0;
        }
        let is_kin = |kin: Place| match kin {
            Place::Class(class) => class == customer.class,
            Place::Segment(place) => customer.segments.contains(&place),
            Place::Drive(place) => self.chunk.drives.get(place).is_some_and(|driven| driven.holds.get(customer.slot)),
        };
        let points: i64 = affinities[product].iter().filter(|(kin, _)| is_kin(*kin)).map(|(_, points)| points).sum();
        let affinity = (FULL / 2 + points).clamp(0, FULL);
        let lifts = customer.segments.iter().map(|place| lifts[product][*place]);
        let lift = match customer.segments.len() as i64 {
            0 => FULL / 2,
            segments => lifts.sum::<i64>() / segments,
        };
        let foretold = foretold.and_then(|scores| scores.get(&(customer.slot as u16)));
        let foretold = foretold.map(|value| (*value).clamp(0, FULL));
        let parts = [Some(affinity), Some(lift), foretold];
        let weighed = parts.into_iter().zip(rules.parts).filter_map(|(part, weight)| Some((part?, weight)));
        let (sum, weights) =
            weighed.fold((0, 0), |(sum, weights), (part, weight)| (sum + part * weight, weights + weight));
        // A model that says nothing of somebody may be all that weighs.
        if weights == 0 { FULL / 2 } else { sum / weights }
    }
}

/// What of a customer is the same for all products.
struct Customer {
    slot: usize,
    class: u8,
    supports: Word,
    segments: Vec<usize>,
    /// customer-channel of each channel, of those that his terminal takes.
    channels: Vec<Option<i64>>,
}
