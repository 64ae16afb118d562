//! The way that a campaign goes, by the programme in force: its stages, and who accepts.

use std::collections::BTreeMap;

use dataflows::records::State;
use dataflows::targets::Campaign;

use crate::programme::{Level, Plan};

/// The stages of a campaign, and of its cities where work is by city.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Course<'p> {
    /// Those that it goes through, ascending; without those that each of its cities leaves out.
    stages: Vec<State>,
    /// The stages that each city leaves out; no cities where work is not by city.
    cities: BTreeMap<&'p str, &'p [State]>,
}

impl<'p> Course<'p> {
    /// Work is by city below the level of the province, where the campaign names its cities.
    pub fn of(plan: &'p Plan, campaign: &'p Campaign) -> Course<'p> {
        let is_by_city = plan.level != Level::Province;
        let skipped = |city: &String| plan.skip_stages.get(city).map_or(&[][..], Vec::as_slice);
        let own = campaign.cities.iter().filter(|_| is_by_city);
        let cities: BTreeMap<&str, &[State]> = own.map(|city| (city.as_str(), skipped(city))).collect();
        let is_gone_through =
            |stage: &State| cities.is_empty() || cities.values().any(|skipped| !skipped.contains(stage));
        Course { stages: plan.stages.iter().copied().filter(is_gone_through).collect(), cities }
    }

    pub fn is_by_city(&self) -> bool {
        !self.cities.is_empty()
    }

    pub fn stages(&self) -> &[State] {
        &self.stages
    }

    /// The cities where work is by city, with the stages that each leaves out.
    pub fn cities(&self) -> impl Iterator<Item = (&'p str, &'p [State])> {
        self.cities.iter().map(|(city, skipped)| (*city, *skipped))
    }

    /// The stages that a city leaves out; none where it is no city of the campaign's.
    pub fn skipped(&self, city: &str) -> Option<&'p [State]> {
        self.cities.get(city).copied()
    }

    /// The cities that accept.
    pub fn accepting(&self) -> impl Iterator<Item = &'p str> {
        let accepts = self.stages.contains(&State::Accepted);
        self.cities().filter(move |(_, skipped)| accepts && !skipped.contains(&State::Accepted)).map(|(city, _)| city)
    }
}
