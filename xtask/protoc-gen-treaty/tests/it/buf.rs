//! `buf generate` with the plugin gives the bytes of `cargo xtask codegen`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use codegen::load::load;
use codegen::lower::Settings;
use codegen::model::Layout;
use codegen::{File, emit, lower};
use serde_json::json;
use tempfile::TempDir;
use testbed::{Tool, Tools};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A buf workspace in a directory of its own: some contracts, and what they import.
fn buf_workspace(contracts: &Path, includes: &[PathBuf]) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(contracts, &directory.path().join("contracts"));
    for include in includes {
        copy(include, &directory.path().join("includes"));
    }
    let modules = json!({
        "version": "v2",
        "modules": [{"path": "contracts"}, {"path": "includes"}],
    });
    fs::write(directory.path().join("buf.yaml"), modules.to_string()).unwrap();
    directory
}

/// Copies the contracts below a directory.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            fs::create_dir_all(to).unwrap();
            fs::copy(&path, target).unwrap();
        }
    }
}

/// Runs `buf generate` on the contracts of a workspace, with output to `out`.
fn buf_generate(directory: &Path, options: &[&str]) -> Output {
    let buf = Tools::new().unwrap().ensure(Tool::Buf).unwrap();
    let template = json!({
        "version": "v2",
        "plugins": [{
            "local": [env!("CARGO_BIN_EXE_protoc-gen-treaty")],
            "out": "out",
            "opt": options,
            // One request for all files: streams and ports reach over packages.
            "strategy": "all",
        }],
    });
    Command::new(buf)
        .args(["generate", "contracts", "--template", &template.to_string()])
        .current_dir(directory)
        .output()
        .unwrap()
}

/// All files below a directory, by path.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// What `cargo xtask codegen` makes of contracts.
fn codegen(contracts: &Path, includes: &[PathBuf]) -> Vec<File> {
    let loaded = load(contracts, includes).unwrap();
    emit::emit(&lower::lower(&loaded).unwrap(), &loaded)
}

/// Every expected file is there under its name with its bytes, and no other one.
fn assert_same(contracts: &Path, includes: &[PathBuf], options: &[&str], expected: Vec<File>) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|file| (file.path.clone(), file.text().into_owned())).collect();
    let directory = buf_workspace(contracts, includes);
    let output = buf_generate(directory.path(), options);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let generated = files(&directory.path().join("out"));

    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&generated), names(&expected));
    for (name, text) in &expected {
        assert!(
            generated[name] == *text,
            "{name} differs:\n{}",
            difference(text, &generated[name])
        );
    }
}

/// The first line that differs, of a file that may be long.
fn difference(expected: &str, generated: &str) -> String {
    let mut lines = expected.lines().zip(generated.lines()).enumerate();
    match lines.find(|(_, (expected, generated))| expected != generated) {
        Some((index, (expected, generated))) => {
            format!("line {}\n- {expected}\n+ {generated}", index + 1)
        }
        None => format!("{} bytes became {}", expected.len(), generated.len()),
    }
}

/// A directory with the contracts of others that contracts may import, and no more.
fn imports() -> PathBuf {
    let alone = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("imports");
    for (from, name) in codegen::carried::imports(&workspace()).unwrap() {
        let to = alone.join(name);
        let text = fs::read(from).unwrap();
        // Tests run side by side: none may find the file of another one half written.
        let written = to.with_extension(format!("{:?}", std::thread::current().id()));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&written, text).unwrap();
        fs::rename(written, to).unwrap();
    }
    alone
}

#[test]
fn the_contracts_of_this_repository() {
    let (contracts, includes) = (workspace().join("contracts"), [imports()]);
    assert_same(&contracts, &includes, &[], codegen(&contracts, &includes));
}

#[test]
fn the_contracts_of_the_generators_tests() {
    let vocabulary = TempDir::new().unwrap();
    copy(&workspace().join("contracts/treaty"), &vocabulary.path().join("treaty"));
    let contracts = workspace().join("xtask/codegen/tests/contracts");
    let includes = [vocabulary.path().to_path_buf(), imports()];
    assert_same(&contracts, &includes, &[], codegen(&contracts, &includes));
}

/// Plain contracts of another repository: one crate, every RPC open to anybody.
#[test]
fn anybodys_contracts_as_one_crate() {
    let contracts = undeclared();
    let loaded = load(contracts.path(), &[]).unwrap();
    let settings = Settings { layout: Layout::Modules, allow_undeclared_access: true };
    let model = lower::lower_with(&loaded, settings).unwrap();
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let git = "git = \"https://git.example/treaty\"";
    let requirements =
        emit::requirements(&manifest, |_| Ok::<_, toml::de::Error>(git.to_owned())).unwrap();
    let krate = emit::Standalone {
        name: "acme".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        requirements,
    };
    let expected = emit::emit_standalone(&model, &loaded, &krate);
    assert!(expected.iter().any(|file| file.path == "Cargo.toml" && file.text().contains(git)));
    let options = ["package=acme", "treaty=https://git.example/treaty", "allow_undeclared_access"];
    assert_same(contracts.path(), &[], &options, expected);
}

/// A contract whose RPCs do not say who may call them.
fn undeclared() -> TempDir {
    let contracts = TempDir::new().unwrap();
    let file = contracts.path().join("acme/orders/v1/orders.proto");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(
        file,
        "syntax = \"proto3\";\npackage acme.orders.v1;\n\n\
         message Order {}\n\n\
         service OrdersService {\n  rpc GetOrder(Order) returns (Order);\n  \
         rpc PutOrder(Order) returns (Order);\n}\n",
    )
    .unwrap();
    contracts
}

#[test]
fn mistakes_are_told_with_their_place() {
    let contracts = undeclared();
    let directory = buf_workspace(contracts.path(), &[workspace().join("contracts"), imports()]);
    let output = buf_generate(directory.path(), &[]);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    for place in ["acme/orders/v1/orders.proto:7:", "acme/orders/v1/orders.proto:8:"] {
        assert!(told.contains(place), "{place} is not in:\n{told}");
    }
    assert!(!directory.path().join("out").exists(), "something was written");
}
