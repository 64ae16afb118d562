//! What may be asked, told to programs: OpenAPI 3.1, made of the routes that are served and of the types that they read.

use axum::Json;
use axum::response::{IntoResponse, Response};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::gate::AFTER;
use super::policy::{Does, Need, Policy};
use super::routes::routes;
use crate::query::VIEWS;

/// What a route takes and gives.
#[derive(Clone, Copy)]
pub struct About {
    /// What it is for, in a line.
    pub does: &'static str,
    /// What may stand behind the question mark.
    pub asks: Asks,
    pub takes: Takes,
    /// What an answer may be beside JSON.
    pub gives: &'static [&'static str],
    /// The status of an answer that is good.
    pub status: u16,
}

/// What may stand behind the question mark.
#[derive(Clone, Copy)]
pub enum Asks {
    Nothing,
    /// Members of a type.
    Of(fn(&mut SchemaGenerator) -> Schema),
    /// Names that are told one by one: each with what it is.
    Named(&'static [(&'static str, &'static str)]),
}

/// What a body holds.
#[derive(Clone, Copy)]
pub enum Takes {
    Nothing,
    Of(fn(&mut SchemaGenerator) -> Schema),
    /// Rows, one JSON object a line.
    Rows,
}

/// The schema of a type.
pub fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// `GET /v1/openapi.json`.
pub async fn openapi() -> Response {
    Json(document()).into_response()
}

/// The whole document.
pub fn document() -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let (method, path) = route.named.split_once(' ').unwrap_or_default();
        let operation = operation(route.named, &route.about, route.policy, &mut generator);
        let of = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        of[method.to_ascii_lowercase()] = operation;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cohortflow",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Live marketing answers for a mobile operator. Numbers with decimal places are texts, so that no reader rounds them. Errors are problems of RFC 9457, each with a code that stays.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "Of POST /v1/login, or of an account. A service without accounts asks for none." },
            },
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A problem of RFC 9457.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "What a program reads: it stays." },
            "detail": { "type": "string", "description": "What a person reads." },
        },
    })
}

fn operation(named: &str, about: &About, policy: Policy, generator: &mut SchemaGenerator) -> Value {
    let path = named.split_once(' ').map_or("", |(_, path)| path);
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": in_path(name) }))
        .collect();
    parameters.extend(asked(about.asks, generator));
    if policy.need != Need::Nothing {
        parameters.push(json!({
            "name": AFTER.as_str(), "in": "header", "schema": { "type": "integer", "minimum": 0 },
            "description": "The answer is of this epoch or a later one.",
        }));
    }
    if policy.does == Does::Change {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "schema": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" },
            "description": "By which a request that comes again is known, where the route notes it.",
        }));
    }
    let mut content: Map<String, Value> = Map::new();
    content.insert("application/json".to_owned(), json!({}));
    for kind in about.gives {
        content.insert((*kind).to_owned(), json!({}));
    }
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let mut responses = json!({
        about.status.to_string(): { "description": "Done.", "content": content },
        "4XX": { "description": "It is not answered, and nothing was changed.", "content": problem },
        "503": { "description": "It cannot be answered now.", "content": problem },
    });
    if about.status != 200 && policy.does == Does::Change {
        responses["200"] = json!({ "description": "It had been done before.", "content": content });
    }
    let mut operation = json!({
        "operationId": named.to_ascii_lowercase().replace(|sign: char| !sign.is_ascii_alphanumeric(), "_"),
        "summary": about.does,
        "parameters": parameters,
        "responses": responses,
    });
    match about.takes {
        Takes::Nothing => {}
        Takes::Of(schema) => {
            let content = json!({ "application/json": { "schema": schema(generator) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        Takes::Rows => {
            let rows = json!({ "type": "string", "description": "A JSON object of the feed's columns on each line. With \"_op\": \"delete\" it deletes the row of its key, and needs no other columns. Bills of a batch are of one month." });
            let content = json!({ "application/x-ndjson": { "schema": rows } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
    }
    operation["security"] = if policy.need == Need::Nothing { json!([]) } else { json!([{ "token": [] }, {}]) };
    operation
}

/// Names of views are known; other names are anybody's.
fn in_path(name: &str) -> Value {
    match name {
        "kind" => json!({ "type": "string", "enum": ["notices", "topics", "prompts"] }),
        "name" => {
            json!({ "type": "string", "minLength": 1, "examples": VIEWS.iter().map(|view| view.name).take(3).collect::<Vec<_>>() })
        }
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn asked(asks: Asks, generator: &mut SchemaGenerator) -> Vec<Value> {
    match asks {
        Asks::Nothing => Vec::new(),
        Asks::Named(named) => named
            .iter()
            .map(|(name, what)| json!({ "name": name, "in": "query", "schema": { "type": "string" }, "description": what }))
            .collect(),
        Asks::Of(schema) => {
            let schema = schema(generator).to_value();
            // A type's own schema stands among the definitions, and is told by its name.
            let of = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            let of = of.and_then(|name| generator.definitions().get(name).cloned()).unwrap_or(schema);
            let members = of.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let required = of.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            members
                .into_iter()
                .map(|(name, mut schema)| {
                    let what = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                    let is_required = required.iter().any(|required| required == &name);
                    json!({ "name": name, "in": "query", "required": is_required, "schema": schema, "description": what.unwrap_or_default() })
                })
                .collect()
        }
    }
}
