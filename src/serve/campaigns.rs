//! Campaigns over HTTP: how far each has come, what may come next, and the change of a state.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dataflows::records::{Arm, State};
use dataflows::types::Word;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Service;
use super::answer::{Refusal, stored};
use super::door::Opened;
use super::edits::{Key, by_whom, read};
use super::gate::Asker;
use super::guard::{JsonBody, Segment};
use super::policy::denied;
use crate::access::{Right, Viewer};
use crate::campaigns::{
    Account, Change, Counts, Grounds, Prediction, Refused, account, accounts, contents, counts, histories, history,
    money, plan, predict,
};
use crate::intake::Taken;
use crate::intake::states::{Changed, Request, change_id};
use crate::query::sight::Place;
use crate::query::{Cell, nearest};

/// `GET /v1/campaigns`.
pub async fn campaigns(Opened(service): Opened) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(move || {
        let (document, published) = (service.intake.document(), service.intake.hub().published());
        let names = service.intake.names().read().names();
        let histories = histories(&service.intake.store().lock(), &names);
        let counts = counts(&published);
        let counts: std::collections::BTreeMap<&str, &Counts> =
            counts.iter().filter_map(|(word, counts)| Some((names.words.text(word.0)?, counts))).collect();
        let told = |account: &Account<'_>| told(account, counts.get(account.id).copied());
        let campaigns: Vec<Value> = accounts(&document, &histories).values().map(told).collect();
        Json(json!({ "epoch": published.epoch, "campaigns": campaigns })).into_response()
    })
    .await
    .map_err(Refusal::internal)
}

/// `GET /v1/campaigns/{id}`.
pub async fn campaign(Opened(service): Opened, Segment(id): Segment) -> Result<Response, Refusal> {
    tokio::task::spawn_blocking(move || {
        let (document, published) = (service.intake.document(), service.intake.hub().published());
        let (names, store) = (service.intake.names(), service.intake.store());
        // As whoever changes something does: the store first.
        let changes = {
            let store = store.lock();
            history(&store, &names.read(), &id)
        };
        let Some(account) = account(&document, &id, &changes) else { return Err(unknown(&service, &id)) };
        let word = names.read().words.find(&id).map(Word);
        let counts = word.and_then(|word| counts(&published).remove(&word));
        let mut answer = told(&account, counts.as_ref());
        answer["epoch"] = published.epoch.into();
        answer["history"] = account.history.iter().map(change).collect();
        answer["plan"] = account.held.as_ref().map(plan).into();
        answer["contents"] = account.held.as_ref().map(|held| contents(held, &document)).into();
        let grounds = Grounds { document: &document, published: &published, names: &names, store };
        answer["prediction"] = predict(&id, grounds).as_ref().map(prediction).into();
        Ok(Json(answer).into_response())
    })
    .await
    .map_err(Refusal::internal)?
}

fn told(account: &Account<'_>, counts: Option<&Counts>) -> Value {
    let (plan, decisive) = (account.held.as_ref().map(|held| held.plan), account.decisive());
    let cities = account.cities().into_iter().map(|city| {
        json!({
            "city": city.city,
            "state": city.state.name(),
            "accepted_at": city.accepted.map(|change| change.at.to_string()),
            "by": city.accepted.map(|change| &change.by),
        })
    });
    let arm = |arm: Arm| counts.map_or(0, |counts| counts.arm(arm));
    json!({
        "id": account.id,
        "name": plan.and_then(|plan| plan.name.as_deref()),
        "in_programme": plan.is_some(),
        "state": account.state().name(),
        "since": decisive.map(|change| change.at.to_string()),
        "by": decisive.map(|change| &change.by),
        "level": plan.map(|plan| plan.level.as_str()),
        "cities": cities.collect::<Vec<_>>(),
        "next": names(&account.next()),
        "listed": { "target": arm(Arm::Target), "control": arm(Arm::Control), "random": arm(Arm::Random) },
        "excluded": counts.map_or(0, |counts| counts.excluded),
    })
}

fn names(states: &[State]) -> Vec<&'static str> {
    states.iter().map(|state| state.name()).collect()
}

fn change((change, irregular): &(&Change, Option<Refused>)) -> Value {
    json!({
        "change_id": change.change_id,
        "at": change.at.to_string(),
        "state": change.state.name(),
        "city": change.city,
        "by": change.by,
        "note": change.note,
        "irregular": irregular.as_ref().map(ToString::to_string),
    })
}

fn prediction(prediction: &Prediction) -> Value {
    let rate = |part: i64, whole: i64| match Cell::rate(part, whole) {
        Cell::Null => Value::Null,
        rate => rate.to_string().into(),
    };
    let basis = prediction.basis.iter().map(|one| {
        json!({
            "id": one.campaign_id,
            "delivered": one.delivered,
            "ordered": one.ordered,
            "rate": rate(one.ordered, one.delivered),
        })
    });
    let channels = prediction.channels.iter().map(|(channel, listed, cost)| {
        json!({ "channel": channel, "listed": listed, "unit_cost": cost.map(|fen| money(fen.into())) })
    });
    let (delivered, ordered) = prediction.sums();
    json!({
        "listed": prediction.listed,
        "orders": prediction.orders(),
        "rate": rate(ordered, delivered),
        "cost": money(prediction.cost()),
        "channels": channels.collect::<Vec<_>>(),
        "comparable_by": prediction.likeness.as_ref().map(ToString::to_string),
        "basis": basis.collect::<Vec<_>>(),
        "says": prediction.note(),
    })
}

fn unknown(service: &Service, id: &str) -> Refusal {
    let document = service.intake.document();
    let names = document.plans.iter().map(|plan| plan.id.as_str());
    Refusal::not_found(match nearest(id, names) {
        "" => "the programme has no campaigns".to_owned(),
        near => format!("no such campaign; did you mean {near}?"),
    })
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewState")]
pub struct Body {
    state: String,
    by: Option<String>,
    note: Option<String>,
    city: Option<String>,
}

/// `POST /v1/campaigns/{id}/state`.
pub async fn set_state(
    Opened(service): Opened,
    Asker(viewer): Asker,
    Segment(id): Segment,
    key: Key,
    JsonBody(body): JsonBody,
) -> Result<Response, Refusal> {
    let Body { state, by, note, city } = read(&body, "{\"state\", \"by\"}, with \"note\" and \"city\" if need be")?;
    let Some(state) = State::ALL.iter().find(|(_, name)| *name == state).map(|(state, _)| *state) else {
        let near = nearest(&state, State::NAMES.into_iter());
        return Err(Refusal::bad_request(format!(
            "no such state; did you mean {near}? They are {}",
            State::NAMES.join(", ")
        )));
    };
    let by = by_whom(&viewer, by)?;
    may_set(&viewer, state, city.as_deref())?;
    let asked = Asked { id, state, by, note, city };
    let answer = tokio::task::spawn_blocking(move || {
        asked.was_made_by_others(&service, &viewer)?;
        asked.answered(&service, key, &body)
    });
    answer.await.map_err(Refusal::internal)?
}

/// Whoever designs takes a campaign on, but others approve it; cities accept it for themselves.
fn may_set(viewer: &Viewer, state: State, city: Option<&str>) -> Result<(), Refusal> {
    let whole = |city: &str| {
        let is_it = |place: &Place| place.district.is_none() && place.city == city;
        viewer.sight.places().is_none_or(|places| places.iter().any(is_it))
    };
    let may = match (state, city) {
        (State::Approved, _) => viewer.may(Right::Approve),
        (State::Accepted, Some(city)) => (viewer.may(Right::Accept) || viewer.may(Right::Design)) && whole(city),
        _ => viewer.may(Right::Design) && viewer.sees_province(),
    };
    may.then_some(()).ok_or_else(|| denied(format!("the account may not set a campaign to {}", state.name())))
}

struct Asked {
    id: String,
    state: State,
    by: String,
    note: Option<String>,
    city: Option<String>,
}

impl Asked {
    /// Four eyes: who approves a campaign is not who last took it on. While there are no accounts nobody tells them apart.
    fn was_made_by_others(&self, service: &Service, viewer: &Viewer) -> Result<(), Refusal> {
        if self.state != State::Approved || viewer.name().is_none() {
            return Ok(());
        }
        let changes = {
            let store = service.intake.store().lock();
            history(&store, &service.intake.names().read(), &self.id)
        };
        if changes.iter().any(|change| change.by == self.by) {
            return Err(denied("who made a campaign does not approve it: somebody else does"));
        }
        Ok(())
    }

    fn answered(&self, service: &Arc<Service>, Key(key): Key, body: &[u8]) -> Result<Response, Refusal> {
        let request = Request {
            campaign: &self.id,
            state: self.state,
            city: self.city.as_deref(),
            by: &self.by,
            note: self.note.as_deref(),
            key: key.as_deref(),
            body,
        };
        match stored(service.intake.campaign(&request))? {
            Changed::Done { epoch, partition, is_repeated } => {
                let (period, part) = (&partition.period, &partition.part);
                let mut answer = json!({
                    "epoch": epoch,
                    "period": period,
                    "part": part,
                    "change_id": change_id(&partition),
                    "state": self.state.name(),
                });
                if is_repeated {
                    answer["repeated"] = true.into();
                    return Ok((StatusCode::OK, Json(answer)).into_response());
                }
                tracing::info!(campaign = self.id, state = self.state.name(), period, part, "campaign changed");
                service.metrics.taken(partition.feed, &Taken::Accepted { epoch, rows: 1, bad_rows: 0 });
                Ok((StatusCode::CREATED, Json(answer)).into_response())
            }
            Changed::KeyReused => Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key",
                "another change came under that idempotency-key; give each change one of its own",
            )),
            Changed::Unknown => Err(unknown(service, &self.id)),
            Changed::Bad(why) => Err(Refusal::bad_request(why)),
            Changed::Refused { why, state, next } => Err(Refusal {
                more: Some(json!({ "state": state.name(), "next": names(&next) })),
                ..Refusal::new(StatusCode::CONFLICT, "state", why.to_string())
            }),
        }
    }
}
