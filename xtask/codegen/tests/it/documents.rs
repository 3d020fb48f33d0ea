//! OpenAPI, AsyncAPI, the reference and the service map of contracts that hold every
//! kind of thing that documents show.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use codegen::File;

use crate::support::{acme, generate, includes};

/// The contracts that the documents are made of.
fn zoo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn zoo_files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| generate_zoo(&zoo()))
}

/// From contracts to files; they may use what has a stand-in.
fn generate_zoo(contracts: &Path) -> Vec<File> {
    let mut found = includes().to_vec();
    found.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_ins"));
    let contracts = codegen::load::load(contracts, &found);
    generate(&contracts.unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

fn is_document(file: &&File) -> bool {
    ["openapi/", "asyncapi/", "docs/"].iter().any(|folder| file.path.starts_with(folder))
}

fn text(path: &str) -> String {
    let file = zoo_files().iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("no {path}")).text().into_owned()
}

#[test]
fn every_document_is_as_reviewed() {
    for (name, path) in [
        ("openapi", "openapi/gate.json"),
        ("asyncapi", "asyncapi/den.json"),
        ("service_map", "docs/service-map.svg"),
        ("service_map_mermaid", "docs/service-map.mmd"),
        ("reference_overview", "docs/index.html"),
        ("reference_package", "docs/packages/zoo.keeper.v1.html"),
        ("reference_deployable", "docs/deployables/den.html"),
        ("reference_routes", "docs/routes.html"),
        ("reference_events", "docs/events.html"),
        ("reference_workflows", "docs/workflows.html"),
        ("search_index", "docs/search-index.js"),
    ] {
        insta::with_settings!({omit_expression => true, description => path}, {
            insta::assert_snapshot!(name, text(path));
        });
    }
}

#[test]
fn documents_are_the_same_bytes_each_time() {
    let again = generate_zoo(&zoo());
    let again: Vec<_> = again.iter().filter(is_document).collect();
    let first: Vec<_> = zoo_files().iter().filter(is_document).collect();
    assert!(!first.is_empty());
    assert_eq!(first, again);
}

/// What would run or load something if a comment could smuggle it into a page.
#[test]
fn no_comment_becomes_markup() {
    for file in zoo_files().iter().filter(is_document) {
        let text = file.text();
        assert!(!text.contains("<script>alert"), "{}", file.path);
        assert!(!text.contains("<b>markup"), "{}", file.path);
    }
    assert!(
        text("docs/packages/zoo.keeper.v1.html").contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
    let openapi: serde_json::Value = serde_json::from_str(&text("openapi/gate.json")).unwrap();
    let operation = &openapi["paths"]["/v1/animals"]["get"];
    assert_eq!(
        operation["description"].as_str().unwrap().lines().next().unwrap(),
        "Finds animals; with a &lt;i>query&lt;/i> of every kind."
    );
}

/// A page refers only to pages, anchors and documents that are there.
#[test]
fn every_link_leads_somewhere() {
    for contracts in [zoo(), acme()] {
        let files = generate_zoo(&contracts);
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut checked = 0;
        for page in files.iter().filter(is_document) {
            for target in links(&page.text()) {
                let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
                if target.contains("://") {
                    continue;
                }
                let found = resolve(&page.path, path);
                assert!(paths.contains(found.as_str()), "{}: no {found}", page.path);
                if !anchor.is_empty() {
                    let file = files.iter().find(|file| file.path == found).unwrap();
                    let id = format!("id=\"{anchor}\"");
                    assert!(file.text().contains(&id), "{}: {found} has no {id}", page.path);
                }
                checked += 1;
            }
        }
        assert!(checked > 100, "{checked}");
    }
}

/// Targets of links, style sheets and scripts.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in [" href=\"", " src=\""] {
        for rest in text.split(attribute).skip(1) {
            found.push(rest.split('"').next().unwrap().replace("&amp;", "&"));
        }
    }
    found
}

fn resolve(from: &str, target: &str) -> String {
    if target.is_empty() {
        return from.to_owned();
    }
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Pages load nothing from elsewhere and run no script of their own making.
#[test]
fn pages_need_neither_network_nor_inline_scripts() {
    for file in zoo_files().iter().filter(|file| file.path.ends_with(".html")) {
        let text = file.text();
        for loading in
            [" src=\"http", "<link rel=\"stylesheet\" href=\"http", "@import", "url(http"]
        {
            assert!(!text.contains(loading), "{}: {loading}", file.path);
        }
        for inline in ["<script>", "<style>", " style=\"", " onclick="] {
            assert!(!text.contains(inline), "{}: {inline}", file.path);
        }
    }
}

/// Validators that others wrote, and examples by the documents' own schemas.
#[test]
fn documents_pass_the_validators_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let mut documents = Vec::new();
    for contracts in [zoo(), acme()] {
        let files = generate_zoo(&contracts);
        for file in files.iter().filter(|file| file.path.ends_with(".json") && is_document(file)) {
            let path = directory.path().join(file.path.replace('/', "-"));
            std::fs::write(&path, &file.contents).unwrap();
            documents.push(path);
        }
    }
    assert_eq!(documents.len(), 6, "{documents:?}");
    testbed::judge_documents(&testbed::Tools::new().unwrap(), &documents).unwrap();
}
