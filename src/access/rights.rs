//! Roles, and what each may do and read.

use serde::{Deserialize, Serialize};

use crate::query::sight::Menu;

/// What somebody may do beside reading views, which [`Menu`] tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Make, change and delete accounts.
    Accounts,
    /// Watch the service: metrics, how it stands.
    Service,
    /// Files that wait, receipts, undo, recomputing everything.
    Files,
    /// Deliver rows.
    Deliver,
    /// Read the programme, and try edits of it.
    Programme,
    /// Publish a programme.
    Publish,
    /// Take campaigns on, but for approving and releasing them.
    Design,
    /// Approve campaigns.
    Approve,
    /// Accept campaigns for one's cities.
    Accept,
    /// Hand contacts off.
    Release,
    /// Edit lists.
    Lists,
    /// Enter opt-outs.
    OptOut,
    /// Correct points.
    Points,
    /// What to offer a customer, and what he said.
    Offers,
    /// Calls to be made.
    Calls,
    /// Replies and order requests.
    Orders,
    /// Keep notices, topics and prompts.
    Notices,
    /// Ask in SQL.
    Sql,
    /// Take views whole.
    Export,
    /// Erase a person.
    Erase,
    /// Read the record of what was done.
    Audit,
}

impl Right {
    pub const ALL: [Right; 21] = [
        Right::Accounts,
        Right::Service,
        Right::Files,
        Right::Deliver,
        Right::Programme,
        Right::Publish,
        Right::Design,
        Right::Approve,
        Right::Accept,
        Right::Release,
        Right::Lists,
        Right::OptOut,
        Right::Points,
        Right::Offers,
        Right::Calls,
        Right::Orders,
        Right::Notices,
        Right::Sql,
        Right::Export,
        Right::Erase,
        Right::Audit,
    ];
}

/// What an account is for.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Debug,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Role {
    /// Keeps accounts and watches the service; sees nobody.
    Administrator,
    /// Looks after what is delivered.
    Data,
    /// Writes rules and campaigns, for the whole province.
    Planner,
    /// Approves and releases what planners made; sees nobody.
    Approver,
    /// Runs what concerns one or several cities.
    CityOperator,
    /// Looks after the customers of districts.
    HallAdministrator,
    /// Speaks with customers who call or are called.
    Agent,
    /// Answers for personal data: opt-outs, erasure.
    Privacy,
    /// Reads what was done; sees nobody.
    Auditor,
    /// A channel's own program: its target lists, its replies.
    Channel,
}

impl Role {
    pub const ALL: [Role; 10] = [
        Role::Administrator,
        Role::Data,
        Role::Planner,
        Role::Approver,
        Role::CityOperator,
        Role::HallAdministrator,
        Role::Agent,
        Role::Privacy,
        Role::Auditor,
        Role::Channel,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Data => "data",
            Role::Planner => "planner",
            Role::Approver => "approver",
            Role::CityOperator => "city_operator",
            Role::HallAdministrator => "hall_administrator",
            Role::Agent => "agent",
            Role::Privacy => "privacy",
            Role::Auditor => "auditor",
            Role::Channel => "channel",
        }
    }

    pub fn rights(self) -> &'static [Right] {
        use Right::*;
        match self {
            Role::Administrator => &[Accounts, Service],
            Role::Data => &[Service, Files, Deliver, Programme, Sql, Export],
            Role::Planner => {
                &[Programme, Publish, Design, Release, Lists, OptOut, Points, Offers, Orders, Notices, Sql, Export]
            }
            Role::Approver => &[Programme, Approve, Release, Sql],
            Role::CityOperator => &[Accept, Lists, OptOut, Points, Offers, Sql, Export],
            Role::HallAdministrator => &[OptOut, Offers],
            Role::Agent => &[OptOut, Offers, Calls, Orders],
            Role::Privacy => &[Lists, OptOut, Erase, Audit, Sql],
            Role::Auditor => &[Audit, Service, Programme, Sql],
            Role::Channel => &[OptOut, Orders],
        }
    }

    pub fn menus(self) -> &'static [Menu] {
        use Menu::*;
        match self {
            Role::Administrator => &[],
            Role::Data => &[Feeds, Statistics],
            Role::Planner => &[Customers, Ranks, Members, Opinions, Services, Statistics, Campaigns, Effects],
            Role::Approver => &[Services, Statistics, Campaigns, Effects],
            Role::CityOperator => &[Customers, Ranks, Members, Opinions, Services, Statistics, Campaigns, Effects],
            Role::HallAdministrator => &[Customers, Ranks, Members, Services],
            Role::Agent => &[Customers, Ranks, Members, Services],
            Role::Privacy => &[Customers, Ranks, Members, Opinions, Services, Campaigns],
            Role::Auditor => &[Statistics, Campaigns, Effects, Feeds],
            Role::Channel => &[Campaigns],
        }
    }

    /// Whether rows about single persons are shown.
    pub fn sees_persons(self) -> bool {
        !matches!(self, Role::Administrator | Role::Data | Role::Approver | Role::Auditor)
    }

    /// Whether what stands for phone numbers is shown, and customers are found by their numbers.
    pub fn sees_numbers(self) -> bool {
        matches!(self, Role::Agent | Role::Privacy)
    }

    /// Whether the account is of some places, and has to name them.
    pub fn is_of_places(self) -> bool {
        matches!(self, Role::CityOperator | Role::HallAdministrator)
    }

    /// Rows about persons that the account may take in a day, unless it is given another number.
    pub fn rows_a_day(self) -> u64 {
        match self {
            Role::Planner | Role::Privacy | Role::Channel => 5_000_000,
            Role::CityOperator => 200_000,
            Role::HallAdministrator | Role::Agent => 20_000,
            Role::Administrator | Role::Data | Role::Approver | Role::Auditor => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_nobody_has_no_menu_of_persons_alone() {
        for role in Role::ALL {
            assert_eq!(role.rows_a_day() == 0, !role.sees_persons(), "{}", role.name());
            let says = serde_json::to_value(role).expect("text");
            assert_eq!(says, role.name());
        }
        let named: Vec<Role> =
            Role::ALL.into_iter().filter(|role| role.sees_numbers() && !role.sees_persons()).collect();
        assert_eq!(named, []);
    }
}
