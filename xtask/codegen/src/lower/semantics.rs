//! What an RPC promises besides who may call it: repeats, keys, pages, status.

use std::time::Duration;

use heck::ToSnakeCase;
use prost_reflect::{DynamicMessage, FieldDescriptor, FileDescriptor, Kind, MethodDescriptor};

use super::names;
use super::options::{METHOD, MethodRule};
use super::source::Report;
use crate::model::{CallRetry, IDEMPOTENCY_METADATA, Idempotency, Page};

/// Longest wait before the second attempt when the contract does not say.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
/// Longest wait before any attempt when the contract does not say.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// Growth of waits when the contract does not say.
const MULTIPLIER: f64 = 2.0;

/// `idempotency_level` of `google/protobuf/descriptor.proto`.
pub(super) fn idempotency(options: &DynamicMessage) -> Idempotency {
    let level = options.get_field_by_name("idempotency_level");
    match level.and_then(|level| level.as_enum_number()) {
        Some(1) => Idempotency::NoSideEffects,
        Some(2) => Idempotency::Idempotent,
        _ => Idempotency::Unknown,
    }
}

/// How clients repeat a failed call: only where a repeat does no harm.
pub(super) fn retry(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    idempotency: Idempotency,
    report: &mut Report,
) -> Option<CallRetry> {
    let retry = rule.retry.as_ref()?;
    let mut wrong = |message: &str, advice: &str| {
        report.add(file, &METHOD.on(method.path()), message, advice);
        None
    };
    if idempotency == Idempotency::Unknown && rule.idempotency_key.is_empty() {
        let advice = "Set idempotency_level to NO_SIDE_EFFECTS or IDEMPOTENT if repeats do no \
                      harm, give it an idempotency_key, or take the retry out.";
        return wrong("a call that is not idempotent must not be repeated", advice);
    }
    if method.is_client_streaming() {
        let advice = "Take the retry out: the stream of requests cannot be sent again.";
        return wrong("a call that streams requests cannot be repeated", advice);
    }
    let Some(max_attempts) = u32::try_from(retry.max_attempts).ok().filter(|max| *max >= 2) else {
        let advice = "Count all attempts: 3 repeats a failed call twice.";
        return wrong("retry.max_attempts is below 2", advice);
    };
    if retry.multiplier != 0.0 && !(1.0..=1000.0).contains(&retry.multiplier) {
        let advice = "Waits must not shrink; 2 is usual, and 1000 the most.";
        return wrong("retry.multiplier is not between 1 and 1000", advice);
    }
    let initial_backoff = retry.initial_backoff.unwrap_or(INITIAL_BACKOFF);
    let max_backoff = retry.max_backoff.unwrap_or(MAX_BACKOFF.max(initial_backoff));
    if initial_backoff.is_zero() || max_backoff < initial_backoff {
        let advice = "Let initial_backoff be above 0 and at most max_backoff.";
        return wrong("the waits of retry do not fit", advice);
    }
    let attempt_deadline = retry.attempt_deadline;
    if attempt_deadline.is_some_and(|limit| limit.is_zero()) {
        let advice = "Give one attempt some time, or leave it out for all that is left.";
        return wrong("retry.attempt_deadline is 0", advice);
    }
    let multiplier = if retry.multiplier == 0.0 { MULTIPLIER } else { retry.multiplier };
    Some(CallRetry { max_attempts, initial_backoff, max_backoff, multiplier, attempt_deadline })
}

/// The request's field that holds the key by which a repeat is recognised, or the name
/// of the header that does.
pub(super) fn idempotency_key(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> Option<String> {
    let name = (!rule.idempotency_key.is_empty()).then_some(&rule.idempotency_key)?;
    if name == IDEMPOTENCY_METADATA {
        return Some(name.clone());
    }
    if method.is_client_streaming() {
        let advice = format!("Write idempotency_key: \"{IDEMPOTENCY_METADATA}\", a header.");
        let message = "a stream of requests has no one field for the key";
        report.add(file, &METHOD.on(method.path()), message, advice);
        return None;
    }
    let input = method.input();
    let is_text = |field: &FieldDescriptor| {
        // A word that Rust keeps for itself would have another name there.
        let is_plain = names::field(field) == name.to_snake_case();
        matches!(field.kind(), Kind::String)
            && !field.is_list()
            && !field.supports_presence()
            && is_plain
    };
    if input.get_field_by_name(name).is_none_or(|field| !is_text(&field)) {
        let message = format!("{} has no text field `{name}`", input.full_name());
        let advice = "idempotency_key names a string field of the request that is neither \
                      repeated nor optional nor in a oneof.";
        report.add(file, &METHOD.on(method.path()), message, advice);
    }
    Some(name.clone())
}

/// How a method answers page by page: `page_size` and `page_token` in the request,
/// `next_page_token` and one repeated message in the response (AIP-158).
pub(super) fn page(method: &MethodDescriptor) -> Option<Page> {
    if method.is_client_streaming() || method.is_server_streaming() {
        return None;
    }
    let (input, output) = (method.input(), method.output());
    let plain = |field: &FieldDescriptor| !field.is_list() && !field.supports_presence();
    let is = |field: Option<FieldDescriptor>, kind: Kind| {
        field.is_some_and(|field| field.kind() == kind && plain(&field))
    };
    let asks = is(input.get_field_by_name("page_size"), Kind::Int32)
        && is(input.get_field_by_name("page_token"), Kind::String);
    if !asks || !is(output.get_field_by_name("next_page_token"), Kind::String) {
        return None;
    }
    let mut lists = output.fields().filter(|field| field.is_list());
    let (items, None) = (lists.next()?, lists.next()) else { return None };
    let Kind::Message(item) = items.kind() else { return None };
    Some(Page { items: names::field(&items), item: names::message_type(&item) })
}

/// HTTP status of success.
pub(super) fn success_status(
    file: &FileDescriptor,
    method: &MethodDescriptor,
    rule: &MethodRule,
    report: &mut Report,
) -> u16 {
    match rule.success_status {
        0 | 200 => 200,
        201 => 201,
        202 => 202,
        204 => 204,
        other => {
            let message = format!("success_status {other} is not one of success");
            let advice = "Use 200, 201 (created), 202 (accepted) or 204 (no body).";
            report.add(file, &METHOD.on(method.path()), message, advice);
            200
        }
    }
}
