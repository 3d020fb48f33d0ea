//! Names, in the forms in which they are written.

use anyhow::{Result, bail};
use codegen::lower::is_keyword;
use heck::{ToKebabCase as _, ToSnakeCase as _, ToUpperCamelCase as _};

/// Names that the code around a message or a workflow uses for something else.
const USED: [&str; 30] = [
    "ActivityContext",
    "ActivityHandler",
    "Arc",
    "Box",
    "CancellationToken",
    "Clone",
    "Code",
    "Connection",
    "Context",
    "Debug",
    "Default",
    "Delivery",
    "Err",
    "Error",
    "None",
    "Ok",
    "Option",
    "Outcome",
    "Result",
    "Send",
    "Shutdown",
    "Some",
    "String",
    "Sync",
    "Vec",
    "Worker",
    "WorkerConfig",
    "WorkflowContext",
    "WorkflowContract",
    "WorkflowResult",
];

/// Packages that names inside of others would hide, and crates that Cargo.lock does not know.
const ROOTS: [&str; 8] = ["alloc", "buf", "core", "google", "proc-macro", "std", "test", "treaty"];

/// A name.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// As in `SendReminders`.
    pub(super) camel: String,
    /// As in `send_reminders`.
    pub(super) snake: String,
    /// As in `send-reminders`.
    pub(super) kebab: String,
}

impl Name {
    /// A name of an RPC.
    pub(super) fn camel(text: &str) -> Result<Self> {
        let name = Self::of(text);
        if name.camel != text
            || !is_plain(text)
            || !text.starts_with(|c: char| c.is_ascii_uppercase())
        {
            bail!(
                "`{text}` is no name here: {}",
                advice(text, &name.camel, "a capital letter, as in `PaidInvoice`")
            );
        }
        if is_keyword(&name.snake) {
            bail!(
                "`{text}` is `{}` in Rust, which keeps the word for itself: choose another",
                name.snake
            );
        }
        Ok(name)
    }

    /// A name of a type: an event, a workflow, an activity.
    pub(super) fn of_type(text: &str) -> Result<Self> {
        if USED.contains(&text) {
            bail!("`{text}` is what the code around it calls something else: choose another name");
        }
        Self::camel(text)
    }

    /// A name of a deployable or a stream.
    pub(super) fn kebab(text: &str) -> Result<Self> {
        let name = Self::of(text);
        if name.kebab != text
            || !is_plain(text)
            || !text.starts_with(|c: char| c.is_ascii_lowercase())
        {
            let rule = "lower-case letters, digits and single hyphens, beginning with a letter";
            bail!("`{text}` is no name here: {}", advice(text, &name.kebab, rule));
        }
        if is_keyword(&name.snake) {
            bail!("`{text}` is a word that Rust keeps for itself: choose another name");
        }
        Ok(name)
    }

    /// A name of a new crate and package, besides those that there are.
    pub(super) fn of_crate(text: &str, lock: &str) -> Result<Self> {
        let name = Self::kebab(text)?;
        let same = |other: &str| other.replace('_', "-") == name.kebab;
        let locked =
            lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        if ROOTS.into_iter().chain(locked).any(same) {
            bail!("`{text}` is the name of a crate or package that is used here: choose another");
        }
        Ok(name)
    }

    fn of(text: &str) -> Self {
        Self {
            camel: text.to_upper_camel_case(),
            snake: text.to_snake_case(),
            kebab: text.to_kebab_case(),
        }
    }

    /// In words, as in `send reminders`.
    pub(super) fn words(&self) -> String {
        self.snake.replace('_', " ")
    }
}

/// A name of a field of protobuf.
pub(super) fn field(text: &str) -> Result<&str> {
    if text.to_snake_case() != text
        || !is_plain(text)
        || !text.starts_with(|c: char| c.is_ascii_lowercase())
    {
        let rule = "lower-case letters, digits and single underscores, beginning with a letter";
        bail!("`{text}` is no name of a field: {}", advice(text, &text.to_snake_case(), rule));
    }
    Ok(text)
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The name that was meant, if that is one.
fn advice(text: &str, meant: &str, rule: &str) -> String {
    let usable = is_plain(meant) && meant.starts_with(|c: char| c.is_ascii_alphabetic());
    if usable && meant != text {
        format!("write it as `{meant}`")
    } else {
        format!("it needs {rule}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: std::fmt::Debug>(refused: Result<T>) -> String {
        refused.unwrap_err().to_string()
    }

    #[test]
    fn names_are_read_in_every_form() {
        let name = Name::camel("SendReminders").unwrap();
        assert_eq!(
            (name.kebab.as_str(), name.words().as_str()),
            ("send-reminders", "send reminders")
        );
        assert_eq!(Name::kebab("send-reminders").unwrap().camel, "SendReminders");
        assert_eq!(field("invoice_id").unwrap(), "invoice_id");
    }

    #[test]
    fn what_is_no_name_is_refused_with_advice() {
        for (text, advice) in [
            ("sendReminders", "write it as `SendReminders`"),
            ("GetHTTP", "write it as `GetHttp`"),
            ("Send Reminders", "write it as `SendReminders`"),
            ("", "it needs a capital letter"),
            ("1st", "it needs a capital letter"),
            ("\u{c9}t\u{e9}", "it needs a capital letter"),
            ("Type", "`type` in Rust"),
        ] {
            let refused = said(Name::camel(text));
            assert!(refused.contains(advice), "{refused}");
        }
        for (text, advice) in [
            ("Billing", "write it as `billing`"),
            ("bill_ing", "write it as `bill-ing`"),
            ("../x", "write it as `x`"),
            ("1st", "it needs lower-case letters"),
            ("fn", "Rust keeps for itself"),
        ] {
            let refused = said(Name::kebab(text));
            assert!(refused.contains(advice), "{refused}");
        }
        assert!(said(Name::of_type("Error")).contains("calls something else"));
        let refused = said(field("Bad Key"));
        assert!(refused.contains("write it as `bad_key`"), "{refused}");
    }

    #[test]
    fn a_crate_needs_a_name_of_its_own() {
        let lock = "[[package]]\nname = \"serde_json\"\nversion = \"1.0.0\"\n";
        assert!(Name::of_crate("billing", lock).is_ok());
        for taken in ["serde-json", "std", "treaty"] {
            assert!(said(Name::of_crate(taken, lock)).contains("choose another"), "{taken}");
        }
    }
}
