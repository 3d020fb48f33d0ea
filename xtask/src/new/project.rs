//! The workspace that is added to.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use codegen::lower::Places;
use codegen::model::{Deployable, Model, Package, Service};

use crate::workspace;

/// What its contracts say, and where.
pub(super) struct Project {
    pub(super) model: Model,
    places: Places,
}

impl Project {
    pub(super) fn load(root: &Path) -> Result<Self> {
        let contracts = codegen::load::load(&root.join("contracts"), &workspace::includes()?)?;
        let model = codegen::lower::lower(&contracts)?;
        Ok(Self { model, places: Places::of(&contracts) })
    }

    /// The file of the contracts that declares something, by its path in the workspace.
    pub(super) fn file_of(&self, element: &str) -> Result<String> {
        let place = self.places.nearest(element);
        let place = place.with_context(|| format!("no contract declares {element}"))?;
        Ok(format!("contracts/{}", place.file))
    }

    /// The folder of the files that declare deployables, and their package.
    pub(super) fn deployables(&self) -> Result<(String, String)> {
        let known = self.model.deployables.first();
        let known = known.context("no contract declares a deployable to take for a model")?;
        let file = self.file_of(&format!("deployable:{}", known.name))?;
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let package = folder.trim_start_matches("contracts/").replace('/', ".");
        Ok((folder, package))
    }

    /// The organisation, with which the names of packages begin.
    pub(super) fn organisation(&self) -> Result<String> {
        let (_, package) = self.deployables()?;
        Ok(package.split('.').next().unwrap_or_default().to_owned())
    }

    pub(super) fn deployable(&self, name: &str) -> Result<&Deployable> {
        let found = self.model.deployables.iter().find(|deployable| deployable.name == name);
        found.with_context(|| {
            let names = self.model.deployables.iter().map(|deployable| deployable.name.as_str());
            let names: Vec<_> = names.collect();
            format!("there is no deployable `{name}`; there are: {}", names.join(", "))
        })
    }

    /// A service by its name, or by its full name where several have one name.
    pub(super) fn service(&self, name: &str) -> Result<(&Package, &Service)> {
        let packages = self.model.packages.iter();
        let all = packages.flat_map(|package| package.services.iter().map(move |it| (package, it)));
        let of_name = |service: &Service| service.full_name == name || service.name == name;
        let found: Vec<_> = all.clone().filter(|(_, service)| of_name(service)).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                let names: Vec<_> = all.map(|(_, service)| service.full_name.as_str()).collect();
                bail!("there is no service `{name}`; there are: {}", names.join(", "))
            }
            several => {
                let names: Vec<_> =
                    several.iter().map(|(_, service)| service.full_name.as_str()).collect();
                bail!("several services are called `{name}`: say {}", names.join(" or "))
            }
        }
    }

    /// The full name of an event, from that or from the message's name.
    pub(super) fn event(&self, name: &str) -> Result<String> {
        let all = self.model.packages.iter().flat_map(|package| &package.events);
        let mut found = all.clone().filter(|event| event.full_name == name || event.name == name);
        let names = || all.map(|event| event.full_name.as_str()).collect::<Vec<_>>().join(", ");
        match (found.next(), found.next()) {
            (Some(event), None) => Ok(event.full_name.clone()),
            (Some(_), Some(_)) => {
                bail!("several events are called `{name}`; there are: {}", names())
            }
            (None, _) => bail!("there is no event `{name}`; there are: {}", names()),
        }
    }

    /// Refuses names that a package has given to something.
    pub(super) fn refuse_taken(&self, package: &str, names: &[String]) -> Result<()> {
        let Some(known) = self.model.package(package) else { return Ok(()) };
        let messages = known.messages.iter().map(|message| &message.full_name);
        let enums = known.enums.iter().map(|enumeration| &enumeration.full_name);
        let services = known.services.iter().map(|service| &service.full_name);
        let workflows = known.workflows.iter().map(|service| &service.full_name);
        for full_name in messages.chain(enums).chain(services).chain(workflows) {
            if names.iter().any(|name| *full_name == format!("{package}.{name}")) {
                let file = self.file_of(full_name)?;
                bail!("{file} has {full_name} already: choose another name");
            }
        }
        Ok(())
    }

    /// The deployable that answers a service.
    pub(super) fn server(&self, service: &str) -> Result<&Deployable> {
        let mut all = self.model.deployables.iter();
        let found = all.find(|deployable| deployable.serves.iter().any(|name| name == service));
        found.with_context(|| format!("no deployable serves {service}: add it to `serves` of one"))
    }
}
