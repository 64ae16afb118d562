//! Fit by plain loops over rows, with fractions of any length.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::Ratio;

use super::points::own;
use super::{Asked, Standing, rules};
use crate::fit::{BEST, FULL, Fit, Kin, Of, Scored, closed};
use crate::records::{Action, Arm, FeedbackKind, Order, Outcome};
use crate::targets::{Offer, needs};
use crate::types::{CustomerIx, Time, Word};

type Fraction = Ratio<BigInt>;

fn whole(number: i64) -> Fraction {
    Fraction::from_integer(number.into())
}

/// Rounded down.
fn floor(fraction: &Fraction) -> i64 {
    i64::try_from(fraction.floor().to_integer()).expect("scores are small")
}

/// Who somebody is.
struct Person {
    customer: CustomerIx,
    tier: Word,
    /// Places in the programme.
    segments: Vec<usize>,
}

impl Standing {
    /// Each customer of the population with his score of every product on every channel that his terminal takes, and
    /// with his best; none where the programme has no `[fit]`.
    pub fn fit(&self) -> BTreeMap<CustomerIx, (Vec<Scored>, Vec<Scored>)> {
        let Some(fit) = &self.programme.fit else { return BTreeMap::new() };
        let closed = closed(self.clock);
        let people: Vec<Person> = self.listed().into_iter().filter_map(|customer| self.person(customer)).collect();
        let by_id = |words: Vec<Word>| -> Vec<Word> {
            let mut words = words;
            words.sort_by_key(|word| self.text(*word));
            words
        };
        let (products, channels) =
            (by_id(self.products.keys().copied().collect()), by_id(self.channels.keys().copied().collect()));
        let before: Vec<(CustomerIx, Word, Time, Order)> = (self.orders.iter())
            .filter(|((_, _, at, _), _)| *at < closed)
            .map(|((customer, product, at, _), order)| (*customer, *product, *at, *order))
            .collect();
        let ordered: Vec<(Word, Word)> = (before.iter())
            .filter(|(.., order)| order.action != Action::Cancel && !order.channel.is_null())
            .map(|(_, product, _, order)| (*product, order.channel))
            .collect();
        let reached = self.reached(closed);
        let mut found = BTreeMap::new();
        for person in &people {
            let taken: Vec<Word> = channels
                .iter()
                .copied()
                .filter(|channel| self.takes(person.customer, needs(self.text(*channel))))
                .collect();
            let of_channel = self.customer_channel(fit, person, &people, &before, &taken);
            let mut pairs = Vec::new();
            for product in &products {
                let of_product = self.customer_product(fit, person, &people, *product, closed);
                let by_channel = product_channel(fit, *product, &channels, &ordered, &reached);
                for (channel, customer_channel) in taken.iter().zip(&of_channel) {
                    let place = channels.iter().position(|of| of == channel).expect("a channel");
                    let scores = [of_product, by_channel[place], *customer_channel];
                    pairs.push(Scored {
                        product: *product,
                        channel: *channel,
                        customer_product: scores[0],
                        product_channel: scores[1],
                        customer_channel: scores[2],
                        score: if of_product == 0 { 0 } else { mean(&powers(fit, scores), fit) },
                    });
                }
            }
            let best = best(fit, &products, &pairs);
            found.insert(person.customer, (pairs, best));
        }
        found
    }

    fn text(&self, word: Word) -> &str {
        &self.words[word.0 as usize]
    }

    fn person(&self, customer: CustomerIx) -> Option<Person> {
        let asked = Asked { standing: self, customer, month: self.clock.as_of, tier: None };
        let tier = self.class(&asked)?;
        let asked = Asked { tier: Some(tier), ..asked };
        let segments = self.programme.segments.iter().enumerate();
        let segments = segments.filter(|(_, segment)| rules::holds(&segment.when, &asked)).map(|(place, _)| place);
        Some(Person { customer, tier, segments: segments.collect() })
    }

    /// Whether a customer's terminal has what is asked.
    fn takes(&self, customer: CustomerIx, asks: Option<&str>) -> bool {
        let own = self.terminals.iter().filter(|((of, _), _)| *of == customer);
        let supports = own.max_by_key(|((_, day), _)| *day).map_or("", |(_, word)| self.text(*word));
        asks.is_none_or(|asks| asks.split(';').all(|asked| supports.split(';').any(|has| has == asked)))
    }

    fn customer_product(&self, fit: &Fit, person: &Person, people: &[Person], product: Word, closed: Time) -> i64 {
        let row = self.products[&product];
        let requires = Some(self.text(row.requires)).filter(|asked| !asked.is_empty());
        if self.holds(person.customer, product, Time(i64::MAX)) || !self.takes(person.customer, requires) {
            return 0;
        }
        let asked =
            Asked { standing: self, customer: person.customer, month: self.clock.as_of, tier: Some(person.tier) };
        let mut affinity = FULL / 2;
        for of in &fit.affinities {
            let suits = match &of.of {
                Of::Product(name) => *name == self.text(product),
                Of::Category(name) => *name == self.text(row.category),
            };
            let is_kin = match &of.kin {
                Kin::Tier(id) => !person.tier.is_null() && *id == self.text(person.tier),
                Kin::Segment(id) => person.segments.iter().any(|place| self.programme.segments[*place].id == *id),
                Kin::Drive(id) => self.programme.drives.iter().any(|drive| drive.id == *id && asked.has(drive)),
            };
            affinity += if suits && is_kin { of.points } else { 0 };
        }
        let smoothing = whole(i64::from(fit.smoothing));
        let count = |of: &dyn Fn(&Person) -> bool| whole(people.iter().filter(|person| of(person)).count() as i64);
        let holds = |person: &Person| self.holds(person.customer, product, closed);
        let (held, all) = (count(&holds), whole(people.len() as i64));
        let mut lifts = Vec::new();
        for place in &person.segments {
            let is_there = |person: &Person| person.segments.contains(place);
            let (held_there, members) = (count(&|person| is_there(person) && holds(person)), count(&is_there));
            let below = (members + &smoothing) * &held;
            lifts.push(if below == whole(0) {
                FULL / 2
            } else {
                let rate = (held_there + &smoothing * &held / &all) * &all / below;
                floor(&(whole(FULL / 2) * rate)).min(FULL)
            });
        }
        let lift = if lifts.is_empty() { FULL / 2 } else { lifts.iter().sum::<i64>().div_euclid(lifts.len() as i64) };
        let model = fit.scores.get(self.text(product)).map(|model| self.word(model));
        let foretold = model.and_then(|model| self.scores.get(&(person.customer, model)));
        let mut parts = vec![(affinity.clamp(0, FULL), fit.parts[0]), (lift, fit.parts[1])];
        parts.extend(foretold.map(|value| ((*value).clamp(0, FULL), fit.parts[2])));
        let weights: i64 = parts.iter().map(|(_, weight)| i64::from(*weight)).sum();
        let sum: i64 = parts.iter().map(|(part, weight)| part * i64::from(*weight)).sum();
        if weights == 0 { FULL / 2 } else { sum.div_euclid(weights) }
    }

    /// Whether a customer held a product just before a second.
    fn holds(&self, customer: CustomerIx, product: Word, end: Time) -> bool {
        let own = self.orders_of(customer).filter(|((_, of, at, _), _)| *of == product && *at < end);
        let last = own.max_by_key(|((_, _, at, id), _)| (*at, id.clone()));
        last.is_some_and(|(_, order)| order.action != Action::Cancel)
    }

    fn customer_channel(
        &self,
        fit: &Fit,
        person: &Person,
        people: &[Person],
        before: &[(CustomerIx, Word, Time, Order)],
        channels: &[Word],
    ) -> Vec<i64> {
        // Of channels that nobody has a row of nothing is known, and those that he cannot take count all the same.
        let known: Vec<Word> = self.channels.keys().copied().collect();
        let sums = |of: &[&Person]| -> BTreeMap<Word, i64> {
            let mut sums = BTreeMap::new();
            for person in of {
                for (.., order) in before.iter().filter(|(customer, ..)| *customer == person.customer) {
                    if known.contains(&order.channel) {
                        *sums.entry(order.channel).or_insert(0) += 1;
                    }
                }
            }
            sums
        };
        // Whoever is in two of his segments is counted in both.
        let fellows: Vec<&Person> = (person.segments.iter())
            .flat_map(|place| people.iter().filter(move |other| other.segments.contains(place)))
            .collect();
        let mut prior = sums(&fellows);
        if prior.is_empty() {
            prior = sums(&people.iter().collect::<Vec<_>>());
        }
        let all: i64 = prior.values().sum::<i64>().max(1);
        let share = |channel: &Word| {
            let own = self.orders_of(person.customer).filter(|(_, order)| order.channel == *channel).count() as i64;
            let of_all = Fraction::new(prior.get(channel).copied().unwrap_or(0).into(), all.into());
            whole(own) + whole(i64::from(fit.smoothing)) * of_all
        };
        of_best(&channels.iter().map(share).collect::<Vec<_>>())
    }

    /// By campaign's product and channel, whom it was delivered to and whether he ordered there; a campaign that is for
    /// no product has none.
    fn reached(&self, closed: Time) -> Vec<(Option<Word>, Word, bool)> {
        let mut reached = BTreeMap::new();
        for ((customer, ..), contact) in self.contacts.iter().filter(|((_, at, _), _)| *at < closed) {
            let key = (*customer, contact.campaign, contact.channel);
            if contact.outcome == Outcome::Delivered && contact.arm != Arm::Control {
                reached.entry(key).or_insert(false);
            }
        }
        for ((customer, at, _), feedback) in self.feedbacks.iter().filter(|((_, at, _), _)| *at < closed) {
            if feedback.kind != FeedbackKind::Order {
                continue;
            }
            let seen = own(&self.contacts, *customer)
                .filter(|((_, when, _), contact)| when <= at && contact.campaign == feedback.campaign)
                .map(|((_, when, id), contact)| (*when, &**id, contact.channel, contact.arm));
            let kept = own(&self.handoffs, *customer)
                .filter(|((_, when, id), handoff)| {
                    let is_new = own(&self.contacts, *customer).all(|((_, when, of), _)| of != id || *when >= closed);
                    when <= at && handoff.campaign == feedback.campaign && handoff.arm == Arm::Control && is_new
                })
                .map(|((_, when, id), handoff)| (*when, &**id, handoff.channel, handoff.arm));
            let latest = seen.chain(kept).max_by_key(|(when, id, ..)| (*when, *id));
            if let Some((_, _, channel, arm)) = latest
                && arm != Arm::Control
                && let Some(ordered) = reached.get_mut(&(*customer, feedback.campaign, channel))
            {
                *ordered = true;
            }
        }
        let product = |campaign: Word| {
            let campaign = self.programme.campaigns.iter().find(|of| of.id == self.text(campaign))?;
            let Offer::Product(product) = &campaign.offer else { return None };
            Some(self.word(product))
        };
        let row = |((_, campaign, channel), ordered)| (product(campaign), channel, ordered);
        reached.into_iter().map(row).collect()
    }
}

fn product_channel(
    fit: &Fit,
    product: Word,
    channels: &[Word],
    ordered: &[(Word, Word)],
    reached: &[(Option<Word>, Word, bool)],
) -> Vec<i64> {
    let smoothing = whole(i64::from(fit.smoothing));
    let count = |of: &dyn Fn(&(Word, Word)) -> bool| whole(ordered.iter().filter(|row| of(row)).count() as i64);
    let share = |channel: &Word| {
        let own = count(&|(of, over)| *of == product && over == channel);
        let mixed = if ordered.is_empty() {
            whole(0)
        } else {
            &smoothing * count(&|(_, over)| over == channel) / whole(ordered.len() as i64)
        };
        let below = count(&|(of, _)| *of == product) + &smoothing;
        if below == whole(0) { whole(0) } else { (own + mixed) / below }
    };
    let first = of_best(&channels.iter().map(share).collect::<Vec<_>>());
    if reached.is_empty() {
        return first;
    }
    let won_all = whole(reached.iter().filter(|(.., ordered)| *ordered).count() as i64);
    let success = |channel: &Word| {
        let own = reached.iter().filter(|(of, over, _)| *of == Some(product) && over == channel);
        let (mut won, mut of) = (whole(0), smoothing.clone());
        for (.., ordered) in own {
            of += whole(1);
            won += whole(i64::from(*ordered));
        }
        won += &smoothing * &won_all / whole(reached.len() as i64);
        if of == whole(0) { whole(0) } else { won / of }
    };
    let second = of_best(&channels.iter().map(success).collect::<Vec<_>>());
    first.iter().zip(second).map(|(first, second)| (first + second).div_euclid(2)).collect()
}

/// Each as a share of the greatest.
fn of_best(parts: &[Fraction]) -> Vec<i64> {
    let best = parts.iter().max().cloned().unwrap_or_else(|| whole(0));
    let share = |part: &Fraction| if best == whole(0) { FULL } else { floor(&(whole(FULL) * part / &best)) };
    parts.iter().map(share).collect()
}

/// The product of the scores to the power of their weights.
fn powers(fit: &Fit, scores: [i64; 3]) -> BigInt {
    scores.iter().zip(fit.weights).map(|(score, weight)| BigInt::from(*score).pow(weight)).product()
}

fn mean(product: &BigInt, fit: &Fit) -> i64 {
    i64::try_from(product.nth_root(fit.weights.iter().sum())).expect("a score")
}

/// The best product first; of equals the lesser id, which is how they come.
fn best(fit: &Fit, products: &[Word], pairs: &[Scored]) -> Vec<Scored> {
    let key = |scored: &Scored| powers(fit, [scored.customer_product, scored.product_channel, scored.customer_channel]);
    let mut best: Vec<Scored> = Vec::new();
    for product in products {
        let mut own: Vec<&Scored> = pairs.iter().filter(|scored| scored.product == *product).collect();
        own.retain(|scored| scored.customer_product > 0 && key(scored) > BigInt::from(0));
        own.sort_by_key(|scored| std::cmp::Reverse(key(scored)));
        best.extend(own.first().copied());
    }
    best.sort_by_key(|scored| std::cmp::Reverse(key(scored)));
    best.truncate(BEST);
    best
}
