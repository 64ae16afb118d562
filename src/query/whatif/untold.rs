//! What an edit may change beside what is told: named, so that nobody takes silence for nothing.

use dataflows::programme::Programme;

use super::answer::NotTold;
use super::proposal::Proposal;
use crate::engine::Published;
use crate::programme::Document;

/// Views and behaviour that hang on what is edited and are not in the answer.
pub(super) fn untold(published: &Published, proposal: &Proposal, (old, new): (&Document, &Document)) -> Vec<NotTold> {
    let mut untold = Untold(Vec::new());
    views(&published.programme, &proposal.programme, &mut untold);
    untold.tell(
        old.settings.clock_wall != new.settings.clock_wall,
        "now",
        "settings.clock is edited: what is told is as of the epoch's own now, and the edit would move it",
    );
    let other = |document: &Document| {
        let settings = &document.settings;
        (settings.max_bad_rows, settings.control_required, settings.same_version_replace)
    };
    untold.tell(other(old) != other(new), "settings", "how files are taken is edited: it holds for those to come");
    let carried_out = old.plans != new.plans || old.contents != new.contents || old.packs != new.packs;
    untold.tell(
        carried_out,
        "hand-offs",
        "steps, texts, budgets or capacities of campaigns are edited: they decide when those listed are contacted",
    );
    untold.tell(
        old.plans != new.plans || old.programme.campaigns != new.programme.campaigns,
        "campaign, clause_review, effect_rate, effect_uplift, effect_revenue, prize",
        "they go by what campaigns offer, whom they are for and what they are compared with, and some are edited",
    );
    untold.tell(
        old.restrictions != new.restrictions || old.selling_points != new.selling_points,
        "orders and offers",
        "restrictions or selling points are edited: they hold for orders and offers to come",
    );
    untold.tell(old.goals != new.goals, "goal_pace", "standing goals are edited");
    untold.0
}

fn views(old: &Programme, new: &Programme, untold: &mut Untold) {
    let classes = old.tiers != new.tiers
        || old.population != new.population
        || (old.window, old.lag, old.history) != (new.window, new.lag, new.history);
    let points = (&old.points, old.debts, &old.ranks) != (&new.points, new.debts, &new.ranks);
    untold.tell(
        classes || points && old.population.is_some(),
        "tier_move, tier.since",
        "classes of the months before as_of are decided when a programme is published",
    );
    untold.tell(
        (old.window, old.lag) != (new.window, new.lag),
        "customer_attribute",
        "window or lag are edited: averages and changes are over other months",
    );
    untold.tell(
        classes || old.segments != new.segments,
        "effect_by, penetration, channel_preference, segment_profile, segment_average",
        "they tell customers apart by the tiers and segments that are edited",
    );
    untold.tell(points, "points_entry, points_balance and what else is read of points", "points or ranks are edited");
    untold.tell(old.stages != new.stages, "member_stage", "the days of stages are edited");
    untold.tell(
        old.drives != new.drives || classes && !new.drives.is_empty(),
        "drive_share",
        "it counts drives by tier, and one of the two is edited",
    );
    untold.tell(
        old.active_measures != new.active_measures,
        "service_health, penetration",
        "the measures that show the use of products are edited",
    );
    untold.tell(
        old.cares != new.cares || old.calendar != new.calendar,
        "care_task, care_diagnosis, care_count",
        "care or the calendar are edited",
    );
    untold.tell(
        old.fit != new.fit,
        "fit, channel_preference",
        "[fit] is edited: scores are computed when somebody asks for them",
    );
    untold.tell(
        old.goals != new.goals || old.calendar != new.calendar && !new.goals.is_empty(),
        "goal_progress, goal_pace",
        "goals are edited, or the calendar that they count by",
    );
}

struct Untold(Vec<NotTold>);

impl Untold {
    fn tell(&mut self, is_edited: bool, what: &'static str, why: &str) {
        if is_edited && self.0.iter().all(|told| told.what != what) {
            self.0.push(NotTold { what, why: why.to_owned() });
        }
    }
}
