//! Who may ask what: each route says it, and none is served that does not.

use axum::http::StatusCode;

use super::answer::Refusal;
use crate::access::{Right, Viewer};
use crate::query::sight::Menu;

/// What somebody needs for a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Nothing: it tells nothing of anybody.
    Nothing,
    /// An account.
    Account,
    /// A menu of views.
    Menu(Menu),
    /// A right.
    Right(Right),
    /// One of several: the route tells which for what.
    Some(&'static [Right]),
}

/// Whom an answer is about, and so what an account of some places is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Nobody: it is given everything.
    Nobody,
    /// The customer whose id is in the path: it is told of no other than its own.
    Customer,
    /// Rows of views: it is shown its own, wherever they are made.
    Rows,
    /// Customers whom the route itself holds against what is seen.
    Named,
    /// The whole province: it is refused.
    Province,
}

/// What a route does beside telling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// Nothing.
    Read,
    /// It changes something, which is noted before the answer leaves.
    Change,
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    pub need: Need,
    pub about: About,
    pub does: Does,
}

impl Policy {
    /// Refuses who may not.
    pub fn allows(&self, viewer: &Viewer) -> Result<(), Refusal> {
        let may = match self.need {
            Need::Nothing | Need::Account => true,
            Need::Menu(menu) => viewer.sight.has(menu),
            Need::Right(right) => viewer.may(right),
            Need::Some(rights) => rights.iter().any(|right| viewer.may(*right)),
        };
        if !may {
            return Err(denied("the account's role does not let it do that"));
        }
        match self.about {
            About::Province if !viewer.sees_province() => {
                Err(denied("that is about the whole province, and the account sees some places of it"))
            }
            About::Customer if !viewer.sight.sees_persons() => {
                Err(denied("that is about a single person, and the account sees none"))
            }
            _ => Ok(()),
        }
    }
}

/// He may not.
pub fn denied(why: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "forbidden", why)
}

// A build without SQL has a route less.
#[cfg(all(test, feature = "sql"))]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::sync::Arc;

    use super::*;
    use crate::access::{Account, Role};
    use crate::query::sight::Place;
    use crate::serve::routes::routes;

    /// Where the matrix stands that was agreed on.
    const AGREED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy.txt");

    const HEAD: &str = "\
# Who may ask which route. all: of everything; own: of the places of an account that has some; everybody.
# Whoever is not named is refused. Kept by the tests of src/serve/policy.rs: POLICY_REWRITE=1 writes it anew.
";

    fn viewer(role: Role, is_of_a_place: bool) -> Viewer {
        let place = Place { city: "Haicheng".to_owned(), district: None };
        let account = Account {
            name: role.name().to_owned(),
            role,
            places: if is_of_a_place { vec![place] } else { Vec::new() },
            menus: None,
            channel: (role == Role::Channel).then(|| "sms".to_owned()),
            rows_a_day: None,
            password: None,
            subject: None,
            tokens: Vec::new(),
            created_at: 0,
            created_by: None,
        };
        Viewer::of(Arc::new(account))
    }

    /// Each role as it may be: of the whole province, or of places.
    fn viewers() -> Vec<(String, Viewer)> {
        let mut viewers = Vec::new();
        for role in Role::ALL {
            if !role.is_of_places() {
                viewers.push((role.name().to_owned(), viewer(role, false)));
            }
            if role.sees_persons() {
                viewers.push((format!("{}@place", role.name()), viewer(role, true)));
            }
        }
        viewers
    }

    fn matrix() -> String {
        let viewers = viewers();
        let mut matrix = String::from(HEAD);
        for route in routes() {
            let _ = writeln!(matrix, "{}", route.named);
            let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (name, viewer) in &viewers {
                let is_own = !viewer.sees_province() && route.policy.about != About::Nobody;
                match route.policy.allows(viewer) {
                    Err(_) => {}
                    Ok(()) => told.entry(if is_own { "own" } else { "all" }).or_default().push(name),
                }
            }
            if route.policy.need == Need::Nothing {
                told = [("everybody", vec!["with an account or without"])].into();
            }
            for (what, who) in told {
                let _ = writeln!(matrix, "    {what}: {}", who.join(", "));
            }
        }
        matrix
    }

    #[test]
    fn who_may_ask_what_is_what_was_agreed_on() {
        let matrix = matrix();
        if std::env::var_os("POLICY_REWRITE").is_some() {
            std::fs::write(AGREED, &matrix).expect("written");
        }
        let agreed = std::fs::read_to_string(AGREED).unwrap_or_default();
        assert_eq!(matrix, agreed, "see the head of tests/policy.txt");
    }

    #[test]
    fn no_route_is_told_twice_and_each_about_a_customer_has_him_in_its_path() {
        let routes = routes();
        for (place, route) in routes.iter().enumerate() {
            assert!(routes.iter().skip(place + 1).all(|other| other.named != route.named), "{}", route.named);
            assert!(!route.about.does.is_empty(), "{} does not say what it is for", route.named);
            let is_about_one = route.policy.about == About::Customer;
            assert!(!is_about_one || route.path().contains("/customers/{id}"), "{}", route.named);
            let is_open = route.policy.need == Need::Nothing;
            let may_be_open = [
                "GET /healthz",
                "GET /readyz",
                "GET /v1/oidc/callback",
                "GET /v1/oidc/login",
                "POST /v1/oidc/session",
                "GET /v1/openapi.json",
                "POST /v1/login",
            ]
            .contains(&route.named);
            assert_eq!(is_open, may_be_open, "{}", route.named);
        }
    }
}
