//! Streams as the contract declares them.

use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, ErrorCode};
use treaty_error::{Code, Error};

use crate::failure::{api, unavailable};
use crate::{Retention, StreamSpec};

/// The stream that keeps what no handler could handle. It has no age limit: a
/// dead letter stays until a person or a tool has looked at it.
pub const DEAD_LETTERS: StreamSpec = StreamSpec {
    name: "dead-letters",
    subjects: &["dead-letters.>"],
    retention: Retention::Limits,
    max_age: None,
    max_bytes: None,
    duplicate_window: Duration::from_secs(120),
    atomic_batches: false,
};

/// The subject of dead letters of one durable consumer.
#[must_use]
pub fn dead_letter_subject(stream: &str, durable: &str) -> String {
    format!("dead-letters.{stream}.{durable}")
}

/// Creates the stream or brings it to what is declared.
pub(crate) async fn ensure(jetstream: &Context, spec: &StreamSpec) -> Result<(), Error> {
    // Another replica may create it between our look and our attempt; then the
    // second look finds it.
    for _ in 0..3 {
        let Some(existing) = look(jetstream, spec.name).await? else {
            match jetstream.create_stream(applied(Config::default(), spec)).await {
                Ok(_) => {
                    tracing::info!(stream = spec.name, "created stream");
                    return Ok(());
                }
                Err(error) => match error.kind() {
                    CreateStreamErrorKind::JetStream(inner)
                        if inner.error_code() == ErrorCode::STREAM_NAME_EXIST =>
                    {
                        continue;
                    }
                    CreateStreamErrorKind::JetStream(inner) => {
                        return Err(api(&format!("creating stream {}", spec.name), inner));
                    }
                    _ => {
                        let message = format!("stream {} could not be created", spec.name);
                        return Err(unavailable(message, error));
                    }
                },
            }
        };
        return update(jetstream, spec, existing).await;
    }
    Err(Error::new(Code::Aborted, format!("stream {} keeps appearing and vanishing", spec.name)))
}

async fn look(jetstream: &Context, name: &str) -> Result<Option<Config>, Error> {
    match jetstream.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(inner)
                if inner.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            GetStreamErrorKind::JetStream(inner) => Err(api(&format!("stream {name}"), inner)),
            _ => Err(unavailable(format!("stream {name} could not be looked up"), error)),
        },
    }
}

async fn update(jetstream: &Context, spec: &StreamSpec, existing: Config) -> Result<(), Error> {
    let wanted = applied(existing.clone(), spec);
    if wanted == existing {
        return Ok(());
    }
    match jetstream.update_stream(wanted).await {
        Ok(_) => {
            tracing::info!(stream = spec.name, "updated stream");
            Ok(())
        }
        Err(error) => match error.kind() {
            CreateStreamErrorKind::JetStream(inner) => {
                Err(api(&format!("updating stream {}", spec.name), inner))
            }
            _ => Err(unavailable(format!("stream {} could not be updated", spec.name), error)),
        },
    }
}

/// The configuration with what the contract speaks of laid over it.
fn applied(mut config: Config, spec: &StreamSpec) -> Config {
    spec.name.clone_into(&mut config.name);
    config.subjects = merged(&config.subjects, spec.subjects);
    config.retention = match spec.retention {
        Retention::Limits => RetentionPolicy::Limits,
        Retention::Interest => RetentionPolicy::Interest,
    };
    config.storage = StorageType::File;
    // A full stream must refuse new work, never drop work not yet done.
    config.discard = DiscardPolicy::New;
    config.max_age = spec.max_age.unwrap_or_default();
    config.max_bytes = spec.max_bytes.unwrap_or(-1);
    config.duplicate_window = spec.duplicate_window;
    // Never switched off: an operator, or a newer version of the contract, may rely on it.
    config.allow_atomic_publish |= spec.atomic_batches;
    config.num_replicas = config.num_replicas.max(1);
    for limit in [&mut config.max_messages, &mut config.max_messages_per_subject] {
        if *limit == 0 {
            *limit = -1;
        }
    }
    config
}

/// Adds subjects, never takes one away: while a new version of the contract is
/// rolled out, an old process that restarts must not undo it.
fn merged(existing: &[String], wanted: &[&str]) -> Vec<String> {
    let mut subjects: Vec<String> = existing
        .iter()
        .filter(|subject| !wanted.iter().any(|w| w != subject && covers(w, subject)))
        .cloned()
        .collect();
    for subject in wanted {
        if !subjects.iter().any(|present| covers(present, subject)) {
            subjects.push((*subject).to_owned());
        }
    }
    subjects
}

/// Whether `pattern` matches everything that `subject` matches.
fn covers(pattern: &str, subject: &str) -> bool {
    let mut theirs = subject.split('.');
    for token in pattern.split('.') {
        match (token, theirs.next()) {
            (">", Some(_)) => return true,
            (_, None) | (_, Some(">")) => return false,
            ("*", Some(_)) => {}
            (own, Some(other)) if own == other => {}
            _ => return false,
        }
    }
    theirs.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_follows_the_wildcards() {
        for (pattern, subject) in
            [("a.>", "a.b"), ("a.>", "a.*.c"), ("a.*", "a.b"), ("a.b", "a.b"), (">", "a.>")]
        {
            assert!(covers(pattern, subject), "{pattern} {subject}");
        }
        for (pattern, subject) in
            [("a.>", "a"), ("a.*", "a.b.c"), ("a.b", "a.*"), ("a.*", "a.>"), ("a.b.c", "a.b")]
        {
            assert!(!covers(pattern, subject), "{pattern} {subject}");
        }
    }

    #[test]
    fn subjects_are_added_and_widened_never_lost() {
        let existing = ["a.x.*".to_owned(), "b.*".to_owned()];
        assert_eq!(merged(&existing, &["a.>", "c"]), ["b.*", "a.>", "c"]);
        assert_eq!(merged(&existing, &["b.one"]), ["a.x.*", "b.*"]);
    }

    #[test]
    fn an_operators_settings_survive() {
        let existing = Config {
            num_replicas: 3,
            description: Some("kept".to_owned()),
            ..applied(Config::default(), &DEAD_LETTERS)
        };
        assert_eq!(applied(existing.clone(), &DEAD_LETTERS), existing);
    }
}
