//! Where values come from and what an error says.

use std::io::Write as _;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use treaty_service::LogFormat;
use treaty_service::config::load_from;
use treaty_service::{ConfigError, ListenConfig, LogConfig, Validate};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    http: ListenConfig,
    database: Database,
    #[serde(default)]
    log: LogConfig,
    #[serde(default)]
    brokers: Vec<String>,
    #[serde(default)]
    ratio: f64,
    #[serde(default)]
    optional: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    password: SecretString,
    #[serde(default = "ten")]
    connections: u16,
    #[serde(default)]
    wait: Wait,
}

fn ten() -> u16 {
    10
}

/// A type with an error of its own, which quotes the value.
#[derive(Debug, Default)]
struct Wait(u64);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_suffix('s')
            .and_then(|number| number.parse().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("{text} is no duration")))
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<(), ConfigError> {
        if self.database.connections == 0 {
            return Err(ConfigError::invalid("database.connections", "must be at least 1"));
        }
        Ok(())
    }
}

const COMPLETE: &str = "
    [http]
    listen = '127.0.0.1:8080'
    [database]
    password = 'from-file'
    connections = 5
";

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut written = tempfile::NamedTempFile::new().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    load_from("my-api", Some(written.path()), environment)
}

fn refused(file: &str, environment: &[(&str, &str)]) -> String {
    load(file, environment).unwrap_err().to_string()
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let config = load(
        COMPLETE,
        &[
            ("MY_API__HTTP__LISTEN", "0.0.0.0:0"),
            ("MY_API__LOG__FORMAT", "json"),
            ("MY_API__BROKERS", "a:1, b:2"),
            ("MY_API__RATIO", "0.5"),
            ("MY_API__OPTIONAL", ""),
            ("MY_API_PORT", "tcp://10.0.0.1:80"),
            ("OTHER__HTTP__LISTEN", "nonsense"),
        ],
    )
    .unwrap();
    assert_eq!(config.http.listen, "0.0.0.0:0".parse::<SocketAddr>().unwrap());
    assert_eq!(config.database.connections, 5);
    assert_eq!(config.database.password.expose_secret(), "from-file");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.log.filter, "info");
    assert_eq!(config.brokers, ["a:1", "b:2"]);
    assert!((config.ratio - 0.5).abs() < f64::EPSILON);
    assert_eq!(config.optional, None);
    assert_eq!(config.database.wait.0, 0);
}

#[test]
fn a_password_of_digits_stays_text() {
    let config = load(COMPLETE, &[("MY_API__DATABASE__PASSWORD", "12345")]).unwrap();
    assert_eq!(config.database.password.expose_secret(), "12345");
}

#[test]
fn everything_can_come_from_the_environment() {
    let config =
        load("", &[("MY_API__HTTP__LISTEN", "127.0.0.1:1"), ("MY_API__DATABASE__PASSWORD", "p")])
            .unwrap();
    assert_eq!(config.database.connections, 10);
}

#[test]
fn a_missing_key_is_named_in_both_forms() {
    let error = refused("[http]\nlisten = '127.0.0.1:1'\n[database]\n", &[]);
    assert!(error.contains("key database.password "), "{error}");
    assert!(error.contains("MY_API__DATABASE__PASSWORD"), "{error}");
    assert!(error.contains("missing"), "{error}");
    // Without the whole section it is still the key that is named.
    let error = refused("", &[]);
    assert!(error.contains("key http.listen (environment MY_API__HTTP__LISTEN)"), "{error}");
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    let error = refused(COMPLETE, &[("MY_API__HTTP__LISTNE", "x")]);
    assert!(error.contains("http.listne (environment MY_API__HTTP__LISTNE)"), "{error}");
    assert!(error.contains("known here are listen, address_file"), "{error}");
    let error = refused(&format!("{COMPLETE}\nhost = 'x'"), &[]);
    assert!(error.contains("database.host"), "{error}");
}

#[test]
fn a_wrong_value_is_told_without_being_shown() {
    let error = refused(COMPLETE, &[("MY_API__DATABASE__CONNECTIONS", "s3cret")]);
    assert!(error.contains("database.connections"), "{error}");
    assert!(error.contains("expected u16"), "{error}");
    assert!(error.contains("the environment as MY_API__DATABASE__CONNECTIONS"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");

    let error = refused(COMPLETE, &[("MY_API__DATABASE__CONNECTIONS", "70000")]);
    assert!(error.contains("expected u16") && !error.contains("70000"), "{error}");

    let error = refused(COMPLETE, &[("MY_API__LOG__FORMAT", "s3cret")]);
    assert!(error.contains("expected one of auto, json, pretty"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");

    let error = refused(COMPLETE, &[("MY_API__DATABASE__WAIT", "s3cret")]);
    assert!(error.contains("database.wait") && !error.contains("s3cret"), "{error}");

    let error = refused("[http]\nlisten = 's3cret'\n[database]\npassword = 'p'", &[]);
    assert!(error.contains("http.listen") && !error.contains("s3cret"), "{error}");

    let error = refused("[http]\nlisten = '127.0.0.1:1'\n[database]\npassword = 4242", &[]);
    assert!(error.contains("database.password"), "{error}");
    assert!(error.contains("found an integer") && !error.contains("4242"), "{error}");
}

#[test]
fn a_broken_file_is_told_by_its_line_alone() {
    let error = refused("[database]\npassword = s3cret\n", &[]);
    assert!(error.contains("line 2 is not valid TOML"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    let missing = load_from::<Config>("api", Some("/nowhere/api.toml".as_ref()), []).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/api.toml"), "{missing}");
}

#[test]
fn validation_names_the_key_in_the_environment_too() {
    let error = refused(COMPLETE, &[("MY_API__DATABASE__CONNECTIONS", "0")]);
    assert_eq!(
        error,
        "configuration key database.connections (environment MY_API__DATABASE__CONNECTIONS): \
         must be at least 1"
    );
}
