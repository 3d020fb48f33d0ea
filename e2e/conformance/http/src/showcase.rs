//! gapic-showcase's `compliance_suite.json`: each request of a group through each of its
//! calls, written as a client of Google's would, must come to the handler whole.

mod client;
mod handler;

use std::sync::Arc;

use conformance_showcase::google_showcase_v1beta1 as v1beta1;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use treaty_http::{Gateway, GatewayConfig, Site};
use v1beta1::{RepeatRequest, RepeatResponse};

use crate::Score;

pub fn run(suite: &str) -> Score {
    let mut score = Score::default();
    let suite: Value = match serde_json::from_str(suite) {
        Ok(suite) => suite,
        Err(error) => {
            score.count("the suite", Err(error.to_string()));
            return score;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            score.count("the suite", Err(error.to_string()));
            return score;
        }
    };
    let gateway = Gateway::forwarding(&GatewayConfig::default());
    let site = v1beta1::compliance::proxy_routes(Arc::new(handler::Echo), &gateway).site();
    for group in list(&suite["group"]) {
        for request in list(&group["requests"]) {
            for rpc in list(&group["rpcs"]).iter().filter_map(Value::as_str) {
                let name = format!("{rpc} {}", request["name"]);
                score.count(name, runtime.block_on(call(&site, rpc, request)));
            }
        }
    }
    score
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

async fn call(site: &Site, rpc: &str, request: &Value) -> Result<(), String> {
    let text = request.to_string();
    let expected: RepeatRequest =
        treaty_json::from_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    let call = client::write(rpc, request)?;
    let shown = format!("{} {}", call.verb, call.uri);
    let sent = Request::builder()
        .method(call.verb)
        .uri(&call.uri)
        .header("content-type", "application/json")
        .body(treaty_http::Body::from(call.body.unwrap_or_default().into_bytes()))
        .map_err(|error| error.to_string())?;
    let answer = site.respond(sent).await;
    let status = answer.status();
    let bytes = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    if status != http::StatusCode::OK {
        return Err(format!("{shown} answers {status}: {}", String::from_utf8_lossy(&bytes)));
    }
    let answer: RepeatResponse =
        treaty_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    // The binding that a case intends is where its values lie differently; a wrong one
    // would show in them.
    match answer.request {
        Some(request) if request == expected => Ok(()),
        other => Err(format!("{shown} came as {other:?} instead of {expected:?}")),
    }
}
