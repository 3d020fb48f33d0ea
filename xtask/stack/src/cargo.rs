//! Calling Cargo from a program that Cargo itself has started.

use std::process::Command;

/// What Cargo tells the programs that it runs about their own package. Build
/// scripts of some dependencies watch these variables, so handing them on to
/// another Cargo would compile those dependencies, and all that stand on them,
/// anew.
const OWN: [&str; 5] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE"];

/// The Cargo that runs us, as if a person had called it.
#[must_use]
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OWN.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_package_is_not_handed_on() {
        // Cargo has set this one for the test itself.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo();
        let removed = command.get_envs().filter(|(_, value)| value.is_none());
        assert!(removed.into_iter().any(|(name, _)| name == "CARGO_PKG_NAME"));
    }
}
