//! The OpenAPI document, made from the endpoints and completed with what all of them have in common.
//!
//! An endpoint names the answers that are its own. The ones that come from the way in — no token, a body that can't be
//! read — are the same for all and are added here, so that none is forgotten.

use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::model::Problem;
use super::problem::MEDIA_TYPE;

/// What every JSON reader takes for a whole number.
const WHOLE_MAX: u64 = (1 << 53) - 1;

/// So that the schema is there even where an endpoint has no answer of its own that uses it.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Problem)))]
struct Shared;

/// The whole document.
pub(super) fn complete(endpoints: &OpenApi) -> Value {
    let mut document = Shared::openapi();
    document.merge(endpoints.clone());
    // The type is a tree of maps and texts, which has always a JSON.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["info"] = json!({
        "title": "hookswitch",
        "version": "1",
        "description": "The control API of a hookswitch host. Errors are problem documents (RFC 9457) whose `type` is stable. \
            Every answer carries `x-request-id`, by which the host's log knows it; a request may bring its own.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["security"] = json!([{ "token": [] }]);
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A token of the operator, or of one tenant." }
    });
    if let Some(paths) = document["paths"].as_object_mut() {
        for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
            add_common_answers(operation);
        }
    }
    bound_numbers(&mut document);
    document
}

fn add_common_answers(operation: &mut Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        // A body that may be left out is one that may be null.
        let optional = body.pointer("/content/application~1json/schema/oneOf").is_some();
        body["required"] = (!optional).into();
    }
    let has_body = operation.get("requestBody").is_some();
    let reads = has_body || operation.get("parameters").is_some();
    let mut add = |status: &str, when: bool, description: &str| {
        if let Some(answers) = operation["responses"].as_object_mut()
            && when
            && !answers.contains_key(status)
        {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            answers.insert(
                status.to_owned(),
                json!({ "description": description, "content": { MEDIA_TYPE: { "schema": schema } } }),
            );
        }
    };
    add("400", reads, "Path, query or body can't be read");
    add("401", true, "There is no token, or it is not known");
    add("403", true, "The token does not allow this");
    add("408", has_body, "The body came too slowly");
    add("413", has_body, "The body is too large");
    add("415", has_body, "The body is of another media type, or encoded");
    add("500", true, "A fault of the host");
    add("503", true, "Not possible at the moment, calls go on: the registry or the disk can't be used");
}

/// Says of each whole number how large it may be: the formats alone bound nothing.
fn bound_numbers(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let max = match object.get("format").and_then(Value::as_str) {
                Some("int32") => Some(u64::from(u32::MAX)),
                Some("int64") => Some(WHOLE_MAX),
                _ => None,
            };
            if let Some(max) = max
                && object.contains_key("minimum")
                && !object.contains_key("maximum")
            {
                object.insert("maximum".to_owned(), max.into());
            }
            object.values_mut().for_each(bound_numbers);
        }
        Value::Array(values) => values.iter_mut().for_each(bound_numbers),
        _ => {}
    }
}
