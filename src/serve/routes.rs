//! Every route there is: what it does, who may ask, and what answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};

use super::accounts::{account_add, account_change, account_remove, accounts, token_add, token_remove};
use super::audit::{audit, audit_verify};
use super::batches::{BYTES_MAX, feed_batch};
use super::campaigns::{campaign, campaigns, set_state};
use super::card::customer;
use super::dead_letters::{dead_letters, replay};
use super::door::Door;
use super::edits::{adjust, edit_list, opt_out};
use super::erasure::erase;
use super::feeds::{socket, stream};
use super::fit::{channel_fit, customer_fit, product_fit};
use super::gate::{Gate, gate};
use super::http::{apply, confirm, healthz, held, metrics, programme_text, readyz, verify_all};
use super::login::{login, logout, me, password};
use super::notices::{text, text_put, text_remove, texts};
use super::offers::{answer_offer, offers};
use super::openapi::{self, Asks, Takes};
use super::orders::{answers, batch, reply};
use super::policy::{About, Does, Need, Policy};
use super::receipts::receipt;
use super::release::release;
use super::standing::standing;
use super::support::support;
use super::undo::undo;
use super::views::{view_rows, views};
use super::whatif::{diff, sweep};
use super::why::why;
use super::worklist::{claim, result, worklist};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::tried::{self, Reads};
use super::{
    accounts, audit, batches, campaigns, card, dead_letters, edits, erasure, fit, login, notices, offers, oidc, orders,
    release, standing, undo, whatif, worklist,
};
use crate::access::{Change, Right};
use crate::query::sight::Menu;

/// A route.
pub struct Route {
    /// Its method and template, as `GET /v1/views`.
    pub named: &'static str,
    pub policy: Policy,
    /// What it is for, and what it takes.
    pub about: openapi::About,
    /// What it makes of the bytes that it takes.
    pub reads: Reads,
    handler: MethodRouter<Arc<Door>>,
}

impl Route {
    /// What it is for, in a line.
    fn does(mut self, does: &'static str) -> Route {
        self.about.does = does;
        self
    }

    /// A body of that type.
    fn takes<T: JsonSchema + DeserializeOwned>(mut self) -> Route {
        self.about.takes = Takes::Of(openapi::schema::<T>);
        self.reads.body = Some(tried::body::<T>);
        self
    }

    /// Members of that type behind the question mark.
    fn asks<T: JsonSchema + DeserializeOwned>(mut self) -> Route {
        self.about.asks = Asks::Of(openapi::schema::<T>);
        self.reads.query = Some(tried::query::<T>);
        self
    }

    /// A body of rows.
    fn takes_rows(mut self) -> Route {
        self.about.takes = Takes::Rows;
        self
    }

    fn asks_for(mut self, named: &'static [(&'static str, &'static str)]) -> Route {
        self.about.asks = Asks::Named(named);
        self
    }

    /// What it answers with beside JSON.
    fn gives(mut self, kinds: &'static [&'static str]) -> Route {
        self.about.gives = kinds;
        self
    }

    /// The status of an answer that is good.
    fn with(mut self, status: u16) -> Route {
        self.about.status = status;
        self
    }

    /// Takes larger bodies than others do.
    fn with_bodies_of(self, bytes: usize) -> Route {
        Route { handler: self.handler.layer(DefaultBodyLimit::max(bytes)), ..self }
    }

    pub fn path(&self) -> &'static str {
        self.named.split_once(' ').map_or("", |(_, path)| path)
    }
}

/// A route that only tells.
fn tells<T, H>(named: &'static str, need: Need, about: About, handler: H) -> Route
where
    T: 'static,
    H: Handler<T, Arc<Door>>,
{
    route(named, Policy { need, about, does: Does::Read }, handler)
}

/// A route that changes something.
fn changes<T, H>(named: &'static str, need: Need, about: About, handler: H) -> Route
where
    T: 'static,
    H: Handler<T, Arc<Door>>,
{
    route(named, Policy { need, about, does: Does::Change }, handler)
}

fn route<T, H>(named: &'static str, policy: Policy, handler: H) -> Route
where
    T: 'static,
    H: Handler<T, Arc<Door>>,
{
    let handler = match named.split_once(' ') {
        Some(("POST", _)) => post(handler),
        Some(("DELETE", _)) => delete(handler),
        _ => get(handler),
    };
    let about = openapi::About { does: "", asks: Asks::Nothing, takes: Takes::Nothing, gives: &[], status: 200 };
    Route { named, policy, about, reads: Reads::default(), handler }
}

const TEXT: &str = "text/plain";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";
const ARROW: &str = "application/vnd.apache.arrow.stream";
const EVENTS: &str = "text/event-stream";

const WHY: &[(&str, &str)] = &[
    ("segment", "whether he is in this segment, and why"),
    ("tier", "which class he is of, and why"),
    ("target", "whether this campaign lists him, and why"),
    ("balance", "what his points come from"),
];

/// Names of the view's columns may stand beside them, each with what is to stand there.
const ROWS: &[(&str, &str)] = &[
    ("limit", "rows of a page of JSON, 1000 unless it is said, at most 100000"),
    ("offset", "rows before the page"),
    ("cursor", "the next page, at the epoch of the first; it waits for two minutes"),
    ("format", "json in pages; csv, ndjson or arrow whole"),
    ("from", "from this day, month or moment on"),
    ("until", "until before this one"),
];

const FEED: &[(&str, &str)] =
    &[("after", "go on behind the progress of this token"), ("snapshot", "whether all rows come first: true or false")];

/// All of them. One that says nothing of who may ask cannot be written.
pub fn routes() -> Vec<Route> {
    use About::{Customer, Named, Nobody, Province, Rows};
    use Need::{Account, Nothing};
    let menu = Need::Menu;
    let right = Need::Right;
    let mut routes = vec![
        tells("GET /healthz", Nothing, Nobody, healthz).does("whether the process lives").gives(&[TEXT]),
        tells("GET /readyz", Nothing, Nobody, readyz)
            .does("whether all that is stored is visible, and what is released"),
        tells("GET /metrics", right(Right::Service), Nobody, metrics).does("figures for Prometheus").gives(&[TEXT]),
        tells("POST /v1/login", Nothing, Nobody, login)
            .does("log in with a password: a token for eight hours")
            .takes::<login::Login>(),
        tells("GET /v1/oidc/login", Nothing, Nobody, oidc::login)
            .does("log in with the identity provider: a browser is sent there")
            .asks::<oidc::Asked>()
            .with(302),
        tells("GET /v1/oidc/callback", Nothing, Nobody, oidc::callback)
            .does("where the identity provider sends browsers back to: a token for eight hours")
            .asks::<oidc::Returned>(),
        tells("POST /v1/oidc/session", Nothing, Nobody, oidc::session)
            .does("fetch the token of whoever logged in in a browser")
            .takes::<oidc::Fetched>(),
        changes("POST /v1/logout", Account, Nobody, logout).does("end the session"),
        tells("GET /v1/openapi.json", Nothing, Nobody, openapi::openapi).does("what may be asked, as OpenAPI"),
        tells("GET /v1/me", Account, Nobody, me).does("who asks, and what he may"),
        changes("POST /v1/me/password", Account, Nobody, password)
            .does("change one's own password")
            .takes::<login::Passwords>(),
        tells("GET /v1/accounts", right(Right::Accounts), Nobody, accounts).does("all accounts"),
        changes("POST /v1/accounts", right(Right::Accounts), Nobody, account_add)
            .does("make an account")
            .takes::<Change>()
            .with(201),
        changes("POST /v1/accounts/{name}", right(Right::Accounts), Nobody, account_change)
            .does("change an account")
            .takes::<Change>(),
        changes("DELETE /v1/accounts/{name}", right(Right::Accounts), Nobody, account_remove).does("delete an account"),
        changes("POST /v1/accounts/{name}/tokens", right(Right::Accounts), Nobody, token_add)
            .does("give an account a token")
            .takes::<accounts::Asked>()
            .with(201),
        changes("DELETE /v1/accounts/{name}/tokens/{token}", right(Right::Accounts), Nobody, token_remove)
            .does("take a token back"),
        changes("GET /v1/audit", right(Right::Audit), Nobody, audit)
            .does("the record of what was done")
            .asks::<audit::Asked>(),
        tells("POST /v1/audit/verify", right(Right::Audit), Nobody, audit_verify)
            .does("hold every entry of the record against the one before it, and one against what was kept of it")
            .takes::<audit::Kept>(),
        tells("GET /v1/customers/{id}", menu(Menu::Customers), Customer, customer)
            .does("a customer's card")
            .asks::<card::Asked>(),
        changes("POST /v1/customers/{id}/erase", right(Right::Erase), Customer, erase)
            .does("erase a person from everything that is kept")
            .asks::<erasure::Asked>()
            .takes::<erasure::Why>(),
        tells("GET /v1/customers/{id}/standing", menu(Menu::Ranks), Customer, standing)
            .does("a member's place on the leaderboard")
            .asks::<standing::Asked>(),
        tells("GET /v1/customers/{id}/why", menu(Menu::Customers), Customer, why)
            .does("why a customer is where he is")
            .asks_for(WHY),
        tells("GET /v1/customers/{id}/offers", right(Right::Offers), Customer, offers)
            .does("what to offer a customer who calls, and what not")
            .asks::<offers::Asked>(),
        changes("POST /v1/customers/{id}/offers/answer", right(Right::Offers), Customer, answer_offer)
            .does("what he said to an offer")
            .takes::<offers::Said>()
            .with(201),
        tells("GET /v1/customers/{id}/fit", right(Right::Offers), Customer, customer_fit)
            .does("a customer's best products")
            .asks::<fit::OfCustomer>(),
        tells("GET /v1/products/{id}/fit", menu(Menu::Customers), Province, product_fit)
            .does("a product's best customers")
            .asks::<fit::OfProduct>(),
        tells("GET /v1/channels/{id}/fit", menu(Menu::Customers), Province, channel_fit)
            .does("what a channel is best for"),
        tells("GET /v1/views", Account, Nobody, views).does("the views there are"),
        tells("GET /v1/views/{name}", Account, Rows, view_rows)
            .does("rows of a view, in pages or whole")
            .asks_for(ROWS)
            .gives(&[CSV, NDJSON, ARROW]),
        tells("GET /v1/views/{name}/feed", Account, Rows, stream)
            .does("a view, and what becomes of it, as server-sent events")
            .asks_for(FEED)
            .gives(&[EVENTS]),
        tells("GET /v1/views/{name}/socket", Account, Rows, socket)
            .does("the same over WebSocket")
            .asks_for(FEED)
            .with(101),
        tells("GET /v1/programme", right(Right::Programme), Nobody, programme_text).does("the programme in force"),
        changes("POST /v1/programme", right(Right::Publish), Province, apply)
            .does("publish a programme")
            .takes::<whatif::Proposed>(),
        tells("POST /v1/programme/diff", right(Right::Programme), Province, diff)
            .does("what an edit would change")
            .asks::<whatif::Asked>()
            .takes::<whatif::Proposed>()
            .gives(&[CSV]),
        tells("POST /v1/programme/sweep", right(Right::Programme), Province, sweep)
            .does("what a bound would change, at several numbers")
            .takes::<whatif::Swept>(),
        changes("POST /v1/adjustments", right(Right::Points), Named, adjust)
            .does("correct a balance")
            .takes::<edits::Adjustment>()
            .with(201),
        changes("POST /v1/lists/{list}", right(Right::Lists), Named, edit_list)
            .does("edit a list")
            .takes::<edits::List>()
            .with(201),
        changes("POST /v1/optouts", right(Right::OptOut), Named, opt_out)
            .does("a customer wants to be left alone")
            .takes::<edits::OptedOut>()
            .with(201),
        tells("GET /v1/campaigns", menu(Menu::Campaigns), Nobody, campaigns)
            .does("campaigns, and how far they have come"),
        tells("GET /v1/campaigns/{id}", menu(Menu::Campaigns), Nobody, campaign)
            .does("one campaign: its plan, history and prediction"),
        changes(
            "POST /v1/campaigns/{id}/state",
            Need::Some(&[Right::Design, Right::Approve, Right::Accept]),
            Named,
            set_state,
        )
        .does("take a campaign on")
        .takes::<campaigns::Body>()
        .with(201),
        changes("POST /v1/campaigns/{id}/release", right(Right::Release), Province, release)
            .does("hand off what is due")
            .takes::<release::Body>(),
        tells("GET /v1/dead-letters", right(Right::Release), Province, dead_letters)
            .does("contacts that a webhook did not take")
            .asks::<dead_letters::Asked>(),
        changes("POST /v1/dead-letters/replay", right(Right::Release), Province, replay)
            .does("try them again")
            .takes::<dead_letters::Asked>(),
        changes("POST /v1/replies", right(Right::Orders), Named, reply)
            .does("what a customer answered to a contact")
            .takes::<orders::Replies>()
            .with(201),
        changes("POST /v1/provisioning/batch", right(Right::Orders), Province, batch)
            .does("give out the requests that wait")
            .takes::<orders::Nothing>(),
        changes("POST /v1/provisioning/answers", right(Right::Orders), Province, answers)
            .does("what became of requests")
            .takes::<Vec<orders::Came>>()
            .with(201),
        tells("GET /v1/texts/{kind}", Account, Nobody, texts)
            .does("notices, topics of opinions, or prompts")
            .asks::<notices::Asked>(),
        tells("GET /v1/texts/{kind}/{id}", Account, Nobody, text).does("one of them, with what it was before"),
        changes("POST /v1/texts/{kind}/{id}", right(Right::Notices), Nobody, text_put)
            .does("write one")
            .takes::<notices::Put>()
            .with(201),
        changes("DELETE /v1/texts/{kind}/{id}", right(Right::Notices), Nobody, text_remove).does("delete one"),
        tells("GET /v1/worklist", right(Right::Calls), Province, worklist)
            .does("calls to be made")
            .asks::<worklist::Asked>(),
        changes("POST /v1/worklist/{contact_id}/claim", right(Right::Calls), Province, claim)
            .does("take a call")
            .takes::<worklist::Who>(),
        changes("POST /v1/worklist/{contact_id}/result", right(Right::Calls), Province, result)
            .does("what came of a call")
            .takes::<worklist::Body>()
            .with(201),
        changes("POST /v1/feeds/{feed}/batch", right(Right::Deliver), Province, feed_batch)
            .does("deliver rows, or delete rows by their keys: all or none")
            .asks::<batches::Asked>()
            .takes_rows()
            .with(202)
            .with_bodies_of(BYTES_MAX),
        tells("GET /v1/files/{file}/receipt", right(Right::Files), Province, receipt).does("what a file changed"),
        changes("POST /v1/files/{file}/undo", right(Right::Files), Province, undo)
            .does("undo a file")
            .asks::<undo::Asked>()
            .takes::<orders::Nothing>(),
        tells("GET /v1/held", right(Right::Files), Province, held).does("files that wait for a person"),
        changes("POST /v1/held/{file}/confirm", right(Right::Files), Province, confirm).does("let one through"),
        tells("GET /v1/support", right(Right::Service), Nobody, support)
            .does("what whoever helps needs of a running service, and nothing of anybody"),
        tells("POST /v1/verify", right(Right::Files), Province, verify_all).does("recompute everything, and compare"),
    ];
    #[cfg(feature = "sql")]
    routes.push(
        tells("POST /v1/query", right(Right::Sql), Rows, super::query::query)
            .does("ask in SQL")
            .takes::<super::query::Asked>()
            .gives(&[CSV, NDJSON, ARROW]),
    );
    routes.sort_by_key(|route| route.path());
    routes
}

/// The routes behind their gates.
pub fn router(door: &Arc<Door>) -> Router<Arc<Door>> {
    routes().into_iter().fold(Router::new(), |router, route| {
        let known = Gate { door: door.clone(), policy: route.policy, named: route.named };
        router.route(route.path(), route.handler.layer(from_fn_with_state(known, gate)))
    })
}
