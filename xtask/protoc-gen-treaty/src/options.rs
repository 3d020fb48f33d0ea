//! The plugin's options, as `opt` of buf.gen.yaml has them: those of `cargo xtask codegen`.

use std::str::FromStr;

use codegen::emit::{self, Standalone};
use codegen::lower::Settings;
use codegen::model::Layout;

/// The manifest of this platform's workspace, for the versions of what generated code needs.
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// What the caller wants.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// One crate of this name with a module for each package, instead of a crate for each.
    package: Option<String>,
    /// Where that crate finds the platform's libraries: a directory as seen from the crate, or
    /// the address of a git repository.
    treaty: Option<String>,
    /// RPCs without an access rule are open to anybody.
    allow_undeclared_access: bool,
}

impl FromStr for Options {
    type Err = String;

    fn from_str(parameter: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for option in parameter.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("package", name)) if is_crate_name(name) => {
                    options.package = Some(name.to_owned());
                }
                Some(("treaty", place)) if !place.is_empty() && !place.contains(['"', '\\']) => {
                    options.treaty = Some(place.to_owned());
                }
                None if option == "allow_undeclared_access" => {
                    options.allow_undeclared_access = true;
                }
                _ => {
                    return Err(format!(
                        "`{option}` is no option of protoc-gen-treaty: there are package=NAME, \
                         treaty=DIR or URL, and allow_undeclared_access"
                    ));
                }
            }
        }
        if options.package.is_some() != options.treaty.is_some() {
            return Err(
                "package=NAME and treaty=DIR or URL go together: the crate must know where \
                        the platform's libraries are"
                    .to_owned(),
            );
        }
        Ok(options)
    }
}

impl Options {
    pub(crate) fn settings(&self) -> Settings {
        let layout = if self.package.is_some() { Layout::Modules } else { Layout::default() };
        Settings { layout, allow_undeclared_access: self.allow_undeclared_access }
    }

    /// The one crate, when one is wanted.
    pub(crate) fn standalone(&self) -> Result<Option<Standalone>, String> {
        let (Some(name), Some(treaty)) = (&self.package, &self.treaty) else { return Ok(None) };
        let place = |path: &str| {
            Ok::<_, toml::de::Error>(if treaty.contains("://") {
                format!("git = \"{treaty}\"")
            } else {
                format!("path = \"{}/{path}\"", treaty.trim_end_matches('/'))
            })
        };
        let requirements =
            emit::requirements(WORKSPACE, place).map_err(|error| error.to_string())?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Some(Standalone { name: name.clone(), version, requirements }))
    }
}

fn is_crate_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
