//! What each deployable can be configured with, as docs/configuration.md says.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

/// The page; the services' own judgement of a configuration is `--check-config`.
pub const PAGE: &str = "docs/configuration.md";

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whether there is no default.
    pub required: bool,
    /// Whether it appears nowhere.
    pub secret: bool,
    /// The default as the page has it; empty where there is none.
    pub default: String,
    /// Keys that will do instead of this one.
    pub or: Vec<String>,
}

/// The keys of one deployable, by their path: `database.url`.
pub type Keys = BTreeMap<String, Key>;

/// Reads the keys of a deployable: those of its own section and of the sections that it shares.
pub fn read(page: &str, deployable: &str) -> Result<Keys> {
    let title = format!("## {deployable} (");
    let own = section(page, &title).with_context(|| format!("{PAGE} has no section {title}…`"))?;
    let mut keys = rows(own);
    for shared in shared_sections(own) {
        let title = format!("### {shared}\n");
        let section = section(page, &title)
            .with_context(|| format!("{PAGE} names a section {shared} and has none"))?;
        keys.extend(rows(section));
    }
    if keys.is_empty() {
        bail!("{PAGE} has no key of {deployable}");
    }
    Ok(keys)
}

/// The key of this name. One whose name ends in `.…` stands for all below it.
pub fn find<'a>(keys: &'a Keys, name: &str) -> Option<&'a Key> {
    let below =
        |pattern: &str| pattern.strip_suffix('…').is_some_and(|above| name.starts_with(above));
    keys.get(name).or_else(|| keys.iter().find(|(known, _)| below(known)).map(|(_, key)| key))
}

/// The text from a title to the next one.
fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let start = page.find(&format!("\n{title}"))? + 1;
    let text = &page[start + title.len()..];
    let end = ["\n## ", "\n### "].iter().filter_map(|next| text.find(next)).min();
    Some(&text[..end.unwrap_or(text.len())])
}

/// The sections that a section's last paragraph links to, such as `[`nats`](#nats)`.
fn shared_sections(section: &str) -> Vec<&str> {
    let mut found: Vec<_> =
        section.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn rows(section: &str) -> Keys {
    let mut keys = Keys::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (Some(names), Some(_), Some(default)) = (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        let text = cells.collect::<Vec<_>>().join(" ");
        let names = paths(names);
        let several = names.len() > 1;
        let all = names.clone();
        for (index, name) in names.into_iter().enumerate() {
            let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
            let named = text.contains(&format!("the {last} is *secret*"));
            let secret = if several { named } else { text.contains("*secret*") };
            // Of several keys that say the same thing, one will do.
            let required = default.contains("**required**") && index == 0;
            let or = if required { all[1..].to_vec() } else { Vec::new() };
            keys.insert(name, Key { required, secret, default: default.replace('`', ""), or });
        }
    }
    keys
}

/// The paths in a cell; of several, the later may leave out what they share with the first.
fn paths(cell: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for name in cell.split('`').skip(1).step_by(2) {
        let whole = match paths.first().and_then(|first| first.rsplit_once('.')) {
            Some((above, _)) if !name.contains('.') => format!("{above}.{name}"),
            _ => name.to_owned(),
        };
        paths.push(whole);
    }
    paths
}

/// The key that a variable of the environment sets, if it is one of this deployable's.
pub fn of_variable(deployable: &str, variable: &str) -> Option<String> {
    let prefix = format!("{}__", deployable.to_uppercase().replace('-', "_"));
    Some(variable.strip_prefix(&prefix)?.to_lowercase().replace("__", "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Configuration

## api (`API__`)

| Key | In the environment | Default | |
|---|---|---|---|
| `http.listen` | `HTTP__LISTEN` | `0.0.0.0:8080` | HTTP |
| `database.url` | `DATABASE__URL` | **required** | an address; *secret* |

and [`nats`](#nats) and [`peers`](#peers).

## What several services share

### nats

| Key | In the environment | Default | |
|---|---|---|---|
| `nats.user`, `nats.password` | `NATS__USER`, `NATS__PASSWORD` | | together; the password is *secret* |

### peers

| Key | In the environment | Default | |
|---|---|---|---|
| `peers.api.address`, or `addresses` | `PEERS__API__ADDRESS` | **required** | one or several |
";

    #[test]
    fn keys_are_those_of_the_section_and_of_what_it_shares() {
        let keys = read(TABLE, "api").unwrap();
        let names: Vec<_> = keys.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "database.url",
                "http.listen",
                "nats.password",
                "nats.user",
                "peers.api.address",
                "peers.api.addresses"
            ]
        );
        assert_eq!(keys["http.listen"].default, "0.0.0.0:8080");
        assert!(keys["database.url"].secret && keys["database.url"].required);
        assert!(keys["nats.password"].secret && !keys["nats.user"].secret);
        assert_eq!(keys["peers.api.address"].or, ["peers.api.addresses"]);
        assert!(!keys["peers.api.addresses"].required);
        assert!(read(TABLE, "nobody").is_err());
        let whole = Keys::from([("schedule.…".to_owned(), keys["http.listen"].clone())]);
        assert!(find(&whole, "schedule.every_seconds").is_some());
        assert!(find(&whole, "scheduled").is_none() && find(&whole, "other.key").is_none());
    }

    #[test]
    fn the_page_has_the_keys_of_every_deployable() {
        let page = include_str!("../../../docs/configuration.md");
        for (deployable, required) in [
            ("api", "database.url"),
            ("consumer", "peers.api.token"),
            ("worker", "temporal.address"),
        ] {
            let keys = read(page, deployable).unwrap();
            assert!(keys[required].required, "{deployable}");
            assert!(keys["nats.password"].secret && !keys["nats.url"].secret, "{deployable}");
        }
    }

    #[test]
    fn a_variable_names_its_key() {
        assert_eq!(of_variable("api", "API__DATABASE__URL").as_deref(), Some("database.url"));
        assert_eq!(of_variable("api", "DATABASE_LOGIN"), None);
    }
}
