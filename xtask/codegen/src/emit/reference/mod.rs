//! The reference: static pages about everything that the contracts say.
//!
//! Pages need no server and no network: they work from a directory as from an address,
//! and refer only to each other. What scripts add (search, the choice of light or dark)
//! is missing without them, and nothing else is.

mod access;
mod deployables;
mod events;
mod html;
pub(in crate::emit) mod links;
mod overview;
mod packages;
mod page;
mod routes;
mod search;
mod services;
mod types;
mod workflows;

use super::document::Index;
use super::service_map;
use crate::File;
use crate::model::Model;

/// Every page, with style, scripts and the index of the search.
pub(super) fn emit(model: &Model) -> Vec<File> {
    let index = Index::new(model);
    let site = page::Site::new(model);
    let mut files = vec![
        File::new("docs/reference.css", style()),
        File::new("docs/theme.js", include_str!("assets/theme.js")),
        File::new("docs/reference.js", include_str!("assets/reference.js")),
        File::new("docs/search-index.js", search::index(model)),
        File::new("docs/index.html", overview::page(&site, &index)),
        File::new("docs/routes.html", routes::page(&site, &index)),
        File::new("docs/events.html", events::page(&site, &index)),
        File::new("docs/workflows.html", workflows::page(&site, &index)),
    ];
    for package in &model.packages {
        let path = format!("docs/packages/{}.html", package.name);
        files.push(File::new(path, packages::page(&site, &index, package)));
    }
    for deployable in &model.deployables {
        let path = format!("docs/deployables/{}.html", deployable.name);
        files.push(File::new(path, deployables::page(&site, &index, deployable)));
    }
    files
}

fn style() -> String {
    format!("{}{}", include_str!("assets/reference.css"), service_map::STYLE)
}
