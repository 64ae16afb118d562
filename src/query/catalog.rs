//! The views of the contract that this build carries: names and columns.

use super::sight::{Menu, Whose};

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    /// What stands for a phone number. Files of a one-shot run have none: its key is nobody's secret, and
    /// a number could be found by trying all of them.
    Token,
    /// `YYYY-MM`.
    Month,
    /// `YYYY-MM-DD`.
    Day,
    /// Local time.
    Time,
    Integer,
    Boolean,
    /// A number with two places.
    Hundredths,
    /// A rate, with four places.
    Rate,
}

/// A column of a view.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A view.
#[derive(Debug)]
pub struct View {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// What it tells, in a line.
    pub about: &'static str,
    /// Which right it is read by.
    pub menu: Menu,
    /// Whom its rows are about.
    pub whose: Whose,
}

macro_rules! columns {
    ($($name:ident $kind:ident),* $(,)?) => { &[$(Column { name: stringify!($name), kind: Kind::$kind }),*] };
}

/// Every view this build carries: in the contract's order, those that staff ask for before quarantine and
/// ledger.
pub const VIEWS: &[View] = &[
    View {
        name: "customer_attribute",
        menu: Menu::Customers,
        whose: Whose::Persons(&["customer_id"]),
        about: "what rules know of each customer, as of as_of",
        columns: columns![
            customer_id Text, as_of Month, months_billed Integer, avg_fee Hundredths, avg_roaming_fee Hundredths,
            avg_sms_fee Hundredths, avg_vas_fee Hundredths, avg_data_kb Hundredths, last_fee Hundredths,
            change_fee Hundredths, change_roaming_fee Hundredths, change_sms_fee Hundredths,
            change_vas_fee Hundredths, change_data Hundredths, age Integer, tenure_months Integer,
        ],
    },
    View {
        name: "tier",
        menu: Menu::Customers,
        whose: Whose::Persons(&["customer_id"]),
        about: "each customer's class, and since which month",
        columns: columns![customer_id Text, tier Text, since Month],
    },
    View {
        name: "tier_count",
        menu: Menu::Statistics,
        whose: Whose::City("city"),
        about: "customers by city and class",
        columns: columns![city Text, tier Text, customers Integer],
    },
    View {
        name: "tier_move",
        menu: Menu::Statistics,
        whose: Whose::Province,
        about: "customers who changed class from the month before to the month",
        columns: columns![month Month, from_tier Text, to_tier Text, customers Integer],
    },
    View {
        name: "segment_member",
        menu: Menu::Customers,
        whose: Whose::Persons(&["customer_id"]),
        about: "who is in which segment",
        columns: columns![segment Text, customer_id Text],
    },
    View {
        name: "segment_count",
        menu: Menu::Statistics,
        whose: Whose::City("city"),
        about: "members of segments by city",
        columns: columns![segment Text, city Text, customers Integer],
    },
    View {
        name: "points_entry",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "what events and adjustments gave each customer, or took",
        columns: columns![customer_id Text, entry_id Text, at Time, rule Text, points Integer],
    },
    View {
        name: "points_balance",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "points, rank and membership of everybody with an event or an adjustment",
        columns: columns![
            customer_id Text, balance Integer, earned Integer, forfeited Integer, adjusted Integer, rank Text,
            member Boolean,
        ],
    },
    View {
        name: "points_spendable",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "of each balance, what can be spent; and what is missing to the next rank",
        columns: columns![
            customer_id Text, spendable Integer, pending Integer, expiring_30d Integer, redeemed Integer,
            expired Integer, next_rank Text, points_to_next Integer,
        ],
    },
    View {
        name: "points_lot",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "what each award has left, from when it can be spent, and when it is lost",
        columns: columns![
            customer_id Text, entry_id Text, rule Text, at Time, granted Integer, left Integer,
            spendable_from Time, expires_at Time,
        ],
    },
    View {
        name: "points_account",
        menu: Menu::Ranks,
        whose: Whose::Province,
        about: "where all points are: the accounts of a double entry, which add up to 0",
        columns: columns![account Text, points Integer],
    },
    View {
        name: "points_imbalance",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "whose balance is not what his entries add up to: always empty, or something is wrong",
        columns: columns![customer_id Text, balance Integer, entries Integer],
    },
    View {
        name: "points_change",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "entries that changed after they were shown, and for which file or programme: the latest 100,000",
        columns: columns![
            epoch Integer, customer_id Text, entry_id Text, at Time, rule Text, before Integer, after Integer,
            cause Text,
        ],
    },
    View {
        name: "rank_count",
        menu: Menu::Ranks,
        whose: Whose::Province,
        about: "members by rank",
        columns: columns![rank Text, members Integer],
    },
    View {
        name: "rank_move",
        menu: Menu::Ranks,
        whose: Whose::Province,
        about: "members whose rank at the month's end is not that of the month before",
        columns: columns![month Month, from_rank Text, to_rank Text, members Integer],
    },
    View {
        name: "referral",
        menu: Menu::Members,
        whose: Whose::Persons(&["referrer", "referred"]),
        about: "who recommended the community, or a service, to whom, and what it earned",
        columns: columns![referrer Text, referred Text, at Time, kind Text, result Text, points Integer],
    },
    View {
        name: "referral_tree",
        menu: Menu::Members,
        whose: Whose::Persons(&["customer_id"]),
        about: "whom each customer brought into the community, directly and through others",
        columns: columns![customer_id Text, direct Integer, total Integer, depth Integer],
    },
    View {
        name: "referral_rate",
        menu: Menu::Statistics,
        whose: Whose::City("city"),
        about: "by month and city: members, invitations, who joined by them, and the viral coefficient",
        columns: columns![
            month Month, city Text, members Integer, invited Integer, joined Integer, conversion Rate, coefficient Rate,
        ],
    },
    View {
        name: "member_stage",
        menu: Menu::Statistics,
        whose: Whose::City("city"),
        about: "members by stage and city: new, active, silent, lapsed",
        columns: columns![stage Text, city Text, members Integer],
    },
    View {
        name: "drive_share",
        menu: Menu::Statistics,
        whose: Whose::Province,
        about: "of each class's customers with a drive, how many have a sign, and what share that is",
        columns: columns![tier Text, drive Text, sign Text, customers Integer, share Rate],
    },
    View {
        name: "fit",
        menu: Menu::Customers,
        whose: Whose::Persons(&["customer_id"]),
        about: "each customer's best five products, each on its best channel, with the scores of each pair",
        columns: columns![
            customer_id Text, product_id Text, channel_id Text, score_customer_product Hundredths,
            score_product_channel Hundredths, score_customer_channel Hundredths, score Hundredths,
        ],
    },
    View {
        name: "channel_preference",
        menu: Menu::Statistics,
        whose: Whose::Province,
        about: "over which channels the members of each segment order and cancel, and how they prefer them",
        columns: columns![segment Text, channel_id Text, orders Integer, cancels Integer, score Hundredths],
    },
    View {
        name: "best_hour",
        menu: Menu::Customers,
        whose: Whose::Persons(&["customer_id"]),
        about: "the hour of the day in which each customer responds most",
        columns: columns![customer_id Text, hour Integer, responses Integer, all_responses Integer],
    },
    View {
        name: "target",
        menu: Menu::Campaigns,
        whose: Whose::Persons(&["customer_id"]),
        about: "whom each campaign lists, what it offers him, over which channel, in which arm",
        columns: columns![campaign_id Text, customer_id Text, product_id Text, channel_id Text, arm Text],
    },
    View {
        name: "target_count",
        menu: Menu::Campaigns,
        whose: Whose::Province,
        about: "customers on target lists by channel and arm",
        columns: columns![campaign_id Text, channel_id Text, arm Text, customers Integer],
    },
    View {
        name: "target_excluded",
        menu: Menu::Campaigns,
        whose: Whose::Province,
        about: "customers of audiences who are not listed, by the first reason",
        columns: columns![campaign_id Text, reason Text, customers Integer],
    },
    View {
        name: "campaign",
        menu: Menu::Campaigns,
        whose: Whose::Nobody,
        about: "how far each campaign has come, and whom it lists: customers by arm",
        columns: columns![
            campaign_id Text, name Text, state Text, since Time, by Text, level Text, from Time, until Time,
            priority Integer, target Integer, control Integer, random Integer, excluded Integer,
        ],
    },
    View {
        name: "campaign_change",
        menu: Menu::Campaigns,
        whose: Whose::Nobody,
        about: "who set which campaign to which state, and when",
        columns: columns![
            campaign_id Text, at Time, state Text, city Text, by Text, note Text, change_id Text,
        ],
    },
    View {
        name: "prize",
        menu: Menu::Campaigns,
        whose: Whose::Persons(&["customer_id"]),
        about: "who ordered from a campaign that draws a prize, in the order of the draw",
        columns: columns![campaign_id Text, customer_id Text, draw Text, place Integer, won Boolean],
    },
    View {
        name: "order_request",
        menu: Menu::Services,
        whose: Whose::Persons(&["customer_id"]),
        about: "what customers ordered by reply or offer, and how far each request has come",
        columns: columns![
            request_id Text, customer_id Text, product_id Text, campaign_id Text, channel_id Text, at Time, state Text,
            code Text, text Text,
        ],
    },
    View {
        name: "effect",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "what came of each campaign on each channel, in each arm: customers, cost and revenue",
        columns: columns![
            campaign_id Text, channel_id Text, arm Text, contacted Integer, delivered Integer, opened Integer,
            consulted Integer, ordered Integer, complained Integer, opted_out Integer, cost Hundredths,
            revenue Hundredths,
        ],
    },
    View {
        name: "effect_first_reported",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "what came of each campaign as it stood when each day closed, and whether it is known otherwise now",
        columns: columns![
            campaign_id Text, channel_id Text, arm Text, day Day, contacted Integer, delivered Integer, opened Integer,
            consulted Integer, ordered Integer, complained Integer, opted_out Integer, cost Hundredths,
            revenue Hundredths, revised Boolean,
        ],
    },
    View {
        name: "effect_by",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "the same by segment, class and city of today",
        columns: columns![
            campaign_id Text, arm Text, dimension Text, value Text, delivered Integer, ordered Integer,
            complained Integer,
        ],
    },
    View {
        name: "effect_rate",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "success and complaints of each arm, the uplift over control with its 95% interval, cost and saving",
        columns: columns![
            campaign_id Text, arm Text, success_rate Rate, complaint_rate Rate, uplift Rate, uplift_low Rate,
            uplift_high Rate, cost_per_success Rate, saving Rate,
        ],
    },
    View {
        name: "effect_uplift",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "uplift with the interval for one look, and with the one that holds however often it is looked at",
        columns: columns![
            campaign_id Text, compared_with Text, reached Integer, succeeded Integer, compared_reached Integer,
            compared_succeeded Integer, uplift Rate, uplift_low Rate, uplift_high Rate, always_low Rate,
            always_high Rate,
        ],
    },
    View {
        name: "effect_reach",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "of those listed, who was contacted, and of them, who was delivered to",
        columns: columns![
            campaign_id Text, channel_id Text, arm Text, targeted Integer, contacted Integer, delivered Integer,
            withheld Integer, contact_rate Rate, delivery_rate Rate,
        ],
    },
    View {
        name: "effect_revenue",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "what campaigns brought in: by the formula of the field, and as orders delivered it",
        columns: columns![
            campaign_id Text, new_customers Integer, months_of_use Integer, formula_revenue Hundredths,
            delivered_revenue Hundredths,
        ],
    },
    View {
        name: "satisfaction",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "what customers answered to surveys, by campaign, arm and segment (null: all)",
        columns: columns![
            campaign_id Text, arm Text, segment Text, customers Integer, answers Integer, satisfaction Hundredths,
        ],
    },
    View {
        name: "complaint_count",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "complaints about campaigns, by arm and reason",
        columns: columns![campaign_id Text, arm Text, reason Text, complaints Integer],
    },
    View {
        name: "goal_progress",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "how far each campaign's goal was reached, day by day",
        columns: columns![campaign_id Text, day Day, kpi Text, target Hundredths, actual Integer],
    },
    View {
        name: "goal_pace",
        menu: Menu::Effects,
        whose: Whose::City("city"),
        about: "what standing goals and those of campaigns came to, and of what was due by then",
        columns: columns![
            campaign_id Text, goal Text, level Text, city Text, day Day, target Rate, due Rate, actual Rate, pace Rate,
        ],
    },
    View {
        name: "clause_review",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "what each clause of a closed campaign's audience was good for",
        columns: columns![
            campaign_id Text, clause Integer, condition Text, inside Integer, inside_successes Integer, inside_rate Rate,
            outside Integer, outside_successes Integer, outside_rate Rate, lift Rate,
        ],
    },
    View {
        name: "segment_profile",
        menu: Menu::Statistics,
        whose: Whose::Province,
        about: "how the members of each segment differ from the population, by value of each attribute",
        columns: columns![
            segment Text, attribute Text, value Text, members Integer, share Rate, customers Integer,
            population_share Rate, lift Rate,
        ],
    },
    View {
        name: "segment_average",
        menu: Menu::Statistics,
        whose: Whose::Province,
        about: "the average of each number over the members of each segment, and over the population",
        columns: columns![
            segment Text, attribute Text, members Integer, average Hundredths, customers Integer,
            population_average Hundredths, ratio Rate,
        ],
    },
    View {
        name: "channel_workload",
        menu: Menu::Effects,
        whose: Whose::Province,
        about: "contacts of each channel and day, and what it can carry",
        columns: columns![channel_id Text, day Day, contacts Integer, capacity Integer],
    },
    View {
        name: "penetration",
        menu: Menu::Services,
        whose: Whose::Province,
        about: "customers who held a product at a month's end, or used it in the month, by segment (null: all)",
        columns: columns![
            product_id Text, segment Text, month Month, kind Text, users Integer, customers Integer, rate Rate,
        ],
    },
    View {
        name: "penetration_growth",
        menu: Menu::Services,
        whose: Whose::Province,
        about: "the rate of each month beside that of the first month with users, and how many times that it is",
        columns: columns![
            product_id Text, segment Text, month Month, kind Text, first_month Month, first_rate Rate, rate Rate,
            multiple Rate,
        ],
    },
    View {
        name: "service_health",
        menu: Menu::Services,
        whose: Whose::Province,
        about: "customers of each product: who holds it, uses it, tries it, stayed after a trial",
        columns: columns![
            product_id Text, held Integer, active Integer, idle Integer, bundled_idle Integer, trial Integer,
            converted Integer,
        ],
    },
    View {
        name: "care_task",
        menu: Menu::Services,
        whose: Whose::Persons(&["customer_id"]),
        about: "what is to be done for customers who opened a service and do not use it, and when",
        columns: columns![customer_id Text, product_id Text, step Text, due Day, state Text],
    },
    View {
        name: "care_diagnosis",
        menu: Menu::Services,
        whose: Whose::Persons(&["customer_id"]),
        about: "who opened a service, still holds it, does not use it, and why not",
        columns: columns![customer_id Text, product_id Text, reason Text, opened_on Day, city Text],
    },
    View {
        name: "care_count",
        menu: Menu::Services,
        whose: Whose::Province,
        about: "customers who do not use a service that they opened, by diagnosis",
        columns: columns![product_id Text, reason Text, customers Integer],
    },
    View {
        name: "member_points",
        menu: Menu::Ranks,
        whose: Whose::Persons(&["customer_id"]),
        about: "for staff: points and rank of everybody with an event or an adjustment, and the latest of them",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, member Boolean, balance Integer, rank Text,
            last_at Time,
        ],
    },
    View {
        name: "member_referral",
        menu: Menu::Members,
        whose: Whose::Persons(&["customer_id", "referred"]),
        about: "for staff: who recommended the community, or a service, to whom, when, and what came of it",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, event_id Text, at Time, referred Text, kind Text,
            result Text, points Integer,
        ],
    },
    View {
        name: "registration",
        menu: Menu::Members,
        whose: Whose::Persons(&["customer_id"]),
        about: "for staff: who became a member, when and by which channel",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, event_id Text, at Time, channel_id Text,
        ],
    },
    View {
        name: "deregistration",
        menu: Menu::Members,
        whose: Whose::Persons(&["customer_id"]),
        about: "for staff: who left, and the points that this took",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, event_id Text, at Time, channel_id Text,
            points_deducted Integer,
        ],
    },
    View {
        name: "visit",
        menu: Menu::Members,
        whose: Whose::Persons(&["customer_id"]),
        about: "for staff: who looked at which page, member or not",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, event_id Text, at Time, channel_id Text,
            page Text, member Boolean,
        ],
    },
    View {
        name: "opinion",
        menu: Menu::Opinions,
        whose: Whose::Persons(&["customer_id"]),
        about: "for staff: opinions by topic, of members and others",
        columns: columns![
            customer_id Text, number Token, city Text, status Text, event_id Text, at Time, channel_id Text,
            topic Text, member Boolean,
        ],
    },
    View {
        name: "quarantine",
        menu: Menu::Feeds,
        whose: Whose::Province,
        about: "rows of live files that could not be taken, and why",
        columns: columns![file Text, line Integer, column Text, reason Text, row Text],
    },
    View {
        name: "ingest_ledger",
        menu: Menu::Feeds,
        whose: Whose::Province,
        about: "what became of every file",
        columns: columns![
            feed Text, period Text, part Text, version Integer, status Text, rows Integer, bad_rows Integer,
            sha256 Text, accepted_at Time, epoch Integer,
        ],
    },
];

/// The views of the contract that this build does not carry.
const ABSENT: &[&str] = &["tag", "scene_firing"];

impl View {
    /// Whether it follows from programme, input and clock alone. What a service has seen happen does not, and a
    /// one-shot run has seen nothing.
    pub fn follows_from_input(&self) -> bool {
        self.name != "points_change"
    }
}

/// The names of the contract's views that this build does not carry.
pub fn absent() -> &'static [&'static str] {
    ABSENT
}

/// The name that is most like one that there is not.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> &'n str {
    let likeness = |other: &str| strsim::jaro_winkler(other, name);
    names.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).unwrap_or_default()
}

/// The view of that name.
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}
