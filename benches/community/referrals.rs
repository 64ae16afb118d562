//! Referrals: forests that are broad, long or bushy, and one change in them.

use dataflows::facts::{EventFact, Facts};
use dataflows::referrals::Node;
use dataflows::types::CustomerIx;
use fastrand::Rng;
use serde_json::json;

use crate::Figures;
use crate::engine::{Fed, percentile, refer, register, without};

/// Members of the forest, and of whom one has referred everybody.
const MEMBERS: u32 = 1_000_000;
/// Levels below the topmost of the forest.
const DEPTH_MAX: u32 = 30;
/// Members of the chain.
const CHAIN: u32 = 100_000;
/// Changes of one kind that are timed.
const CHANGES: u32 = 200;
/// Moves of one epoch.
const MOVES: u32 = 100_000;

/// Two seconds a member: one to be referred in, the next to register.
fn joins(member: u32, referrer: u32) -> [EventFact; 2] {
    let at = i64::from(member) * 2;
    [refer(referrer, member, at), register(member, at + 1)]
}

fn facts(events: impl IntoIterator<Item = EventFact>) -> Facts {
    Facts { events: events.into_iter().collect(), ..Facts::default() }
}

fn node(fed: &Fed, member: u32) -> Node {
    fed.hub().published().forest.node(CustomerIx(member)).expect("a member who brought somebody in")
}

/// A million members, each brought in by an earlier one; one more, one less, subtrees that move.
pub fn forest() -> Figures {
    let mut rng = Rng::with_seed(1);
    let (mut fed, mut depths) = (Fed::start(), vec![0u32]);
    let mut events = vec![register(0, 1)];
    let mut parents = vec![0];
    for member in 1..MEMBERS {
        let any = rng.u32(0..member);
        let referrer = if depths[any as usize] < DEPTH_MAX { any } else { 0 };
        depths.push(depths[referrer as usize] + 1);
        parents.push(referrer);
        events.extend(joins(member, referrer));
    }
    let load_s = fed.load(events);
    assert_eq!(node(&fed, 0), Node { direct: node(&fed, 0).direct, total: MEMBERS - 1, depth: DEPTH_MAX });
    let mut figures = Figures::new();
    figures.insert("forest_1m_load_s".into(), json!(load_s));
    let (mut comes, mut goes, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for change in 0..CHANGES {
        let member = MEMBERS + change;
        let [referral, registration] = joins(member, rng.u32(0..MEMBERS));
        comes.push(fed.visible(facts([referral.clone(), registration])));
        goes.push(fed.visible(facts([without(&referral)])));
    }
    for _ in 0..CHANGES {
        // An earlier referral by somebody else, whatever hangs below.
        let member = rng.u32(2..MEMBERS);
        let referrer = rng.u32(0..member - 1);
        moves.push(fed.visible(facts([refer(referrer, member, i64::from(member) * 2 - 1)])));
    }
    for (name, mut times) in [("comes", comes), ("goes", goes), ("moves", moves)] {
        for (share, of) in [("p50", 0.5), ("p99", 0.99)] {
            figures.insert(format!("forest_1m_one_{name}_visible_ms_{share}"), json!(percentile(&mut times, of)));
        }
    }
    let many = (0..MOVES).map(|number| MEMBERS - 1 - number * 7).map(|member| {
        let referrer = parents[member as usize] / 2;
        refer(referrer, member, i64::from(member) * 2 - 1)
    });
    figures.insert("forest_1m_100k_moves_visible_ms".into(), json!(fed.visible(facts(many))));
    figures
}

/// Each brought in by the one before.
pub fn chain() -> Figures {
    let mut fed = Fed::start();
    let mut events = vec![register(0, 1)];
    events.extend((1..CHAIN).flat_map(|member| joins(member, member - 1)));
    let load_s = fed.load(events);
    assert_eq!(node(&fed, 0), Node { direct: 1, total: CHAIN - 1, depth: CHAIN - 1 });
    let mut figures = Figures::new();
    figures.insert("chain_100k_load_s".into(), json!(load_s));
    let mut comes: Vec<f64> = (CHAIN..CHAIN + 20).map(|member| fed.visible(facts(joins(member, member - 1)))).collect();
    assert_eq!(node(&fed, 0).depth, CHAIN + 19);
    figures.insert("chain_100k_one_comes_visible_ms_p50".into(), json!(percentile(&mut comes, 0.5)));
    figures.insert("chain_100k_one_comes_visible_ms_max".into(), json!(percentile(&mut comes, 1.0)));
    figures
}

/// All brought in by one, who has a line of two below one of them.
pub fn star() -> Figures {
    let mut fed = Fed::start();
    let mut events = vec![register(0, 1)];
    events.extend((1..MEMBERS).flat_map(|member| joins(member, 0)));
    let load_s = fed.load(events);
    assert_eq!(node(&fed, 0), Node { direct: MEMBERS - 1, total: MEMBERS - 1, depth: 1 });
    let mut figures = Figures::new();
    figures.insert("star_1m_load_s".into(), json!(load_s));
    let (mut comes, mut deepest, mut falls) = (Vec::new(), Vec::new(), Vec::new());
    for member in MEMBERS..MEMBERS + 10 {
        comes.push(fed.visible(facts(joins(member, 0))));
        let [referral, registration] = joins(member + 100, member);
        deepest.push(fed.visible(facts([referral.clone(), registration])));
        assert_eq!(node(&fed, 0).depth, 2);
        falls.push(fed.visible(facts([without(&referral)])));
        assert_eq!(node(&fed, 0).depth, 1);
    }
    for (name, mut times) in [("comes", comes), ("below_comes", deepest), ("below_goes", falls)] {
        figures.insert(format!("star_1m_one_{name}_visible_ms_p50"), json!(percentile(&mut times, 0.5)));
    }
    figures
}
