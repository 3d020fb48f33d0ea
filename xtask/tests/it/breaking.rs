//! `cargo xtask breaking` on a repository of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const SHOP: &str = "acme/shop/v1/shop.proto";

/// A git repository with contracts in `contracts/`.
struct Repository {
    directory: TempDir,
}

/// What the verb said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Repository {
    /// The contracts of the rules' tests and our vocabulary, in one commit.
    fn new() -> Self {
        let repository = Self { directory: TempDir::new().unwrap() };
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let contracts = repository.contracts();
        copy(&manifest.join("codegen/tests/breaking"), &contracts);
        copy(&manifest.join("../contracts/treaty"), &contracts.join("treaty"));
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit("The contracts");
        repository
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn contracts(&self) -> PathBuf {
        self.path().join("contracts")
    }

    fn git(&self, arguments: &[&str]) {
        git(self.path(), arguments);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn edit(&self, file: &str, find: &str, replace: &str) {
        let path = self.contracts().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(find), "{find}");
        fs::write(path, text.replacen(find, replace, 1)).unwrap();
    }

    fn breaking(&self, arguments: &[&str]) -> Said {
        breaking(&self.contracts(), arguments)
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(arguments)
        .current_dir(directory)
        // What the machine's user has set up, such as signatures, is not the test's.
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn breaking(contracts: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("breaking")
        .arg("--contracts")
        .arg(contracts)
        .args(arguments)
        .output()
        .unwrap();
    let folder = contracts.parent().unwrap().display().to_string();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&folder, "REPO");
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// A change that breaks three promises: one of HTTP, one of messaging, one on the wire.
fn break_three(repository: &Repository) {
    repository.edit(SHOP, "get: \"/v1/orders\"", "get: \"/v2/orders\"");
    repository.edit(SHOP, "shop.order.paid\"", "shop.order.settled\"");
    repository.edit(SHOP, "string shop_id = 2;\n}\n\nmessage OrderPaid", "}\n\nmessage OrderPaid");
}

#[test]
fn a_release_is_the_measure() {
    let repository = Repository::new();
    let said = repository.breaking(&[]);
    assert_eq!(
        (said.code, said.out.trim()),
        (0, "no earlier tag v* is in reach of HEAD: nothing to compare with")
    );

    repository.git(&["tag", "v0.1.0"]);
    let said = repository.breaking(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("no earlier tag v*"), "{}", said.out);

    break_three(&repository);
    let said = repository.breaking(&[]);
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!("text", said.out);
    });
    assert_eq!(said.code, 1, "{}", said.err);

    // A released break is the measure of what comes after it.
    repository.commit("Break");
    repository.git(&["tag", "v0.2.0"]);
    assert_eq!(repository.breaking(&[]).code, 1, "v0.2.0 itself is compared with v0.1.0");
    repository.edit(SHOP, "seconds: 20", "seconds: 25");
    let said = repository.breaking(&[]);
    assert_eq!((said.code, said.out.trim()), (0, "nothing breaks against v0.2.0, 0 ignored"));
    let said = repository.breaking(&["--against", "v0.1.0"]);
    assert_eq!(said.code, 1, "{}", said.out);
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let repository = Repository::new();
    repository.git(&["tag", "v0.1.0"]);
    repository.edit(SHOP, "seconds: 20", "seconds: 25");
    repository.commit("Later");
    let clone = TempDir::new().unwrap();
    let url = format!("file://{}", repository.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth", "1", "--no-tags", &url, "."]);
    let said = breaking(&clone.path().join("contracts"), &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("this clone is shallow"), "{}", said.out);
    let said = breaking(&clone.path().join("contracts"), &["--against", "v0.1.0"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("`git fetch --unshallow --tags`"), "{}", said.err);
}

#[test]
fn decided_breaks_are_let_through_with_their_reason() {
    let repository = Repository::new();
    repository.git(&["tag", "v0.1.0"]);
    break_three(&repository);
    let said = repository.breaking(&["--format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let breaks = json["breaks"].as_array().unwrap();
    assert_eq!((said.code, breaks.len()), (1, 4), "{}", said.out);

    let mut exceptions = String::new();
    for found in breaks {
        assert_eq!(found["ignored"], Value::Null);
        let (rule, element) = (found["rule"].as_str().unwrap(), found["element"].as_str().unwrap());
        let entry = format!(
            "[[ignore]]\nrule = \"{rule}\"\nelement = \"{element}\"\nbecause = \"nobody uses it\"\n"
        );
        if !exceptions.contains(&entry) {
            exceptions.push_str(&entry);
        }
    }
    exceptions += "[[ignore]]\nrule = \"RPC_REMOVED\"\nelement = \"acme.shop.v1.Shop.Gone\"\n\
                   because = \"it never answered\"\n";
    fs::write(repository.contracts().join("breaking.toml"), exceptions).unwrap();

    let said = repository.breaking(&[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("ignored: nobody uses it"), "{}", said.out);
    assert!(said.out.contains("unused: RPC_REMOVED for acme.shop.v1.Shop.Gone"), "{}", said.out);
    assert!(said.out.ends_with("nothing breaks against v0.1.0, 4 ignored\n"), "{}", said.out);

    repository.edit("breaking.toml", "it never answered", " ");
    let said = repository.breaking(&[]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("has no reason"), "{}", said.err);
}

#[test]
fn annotations_stand_at_the_lines_of_the_contract() {
    let repository = Repository::new();
    repository.git(&["tag", "v0.1.0"]);
    repository.edit(SHOP, "seconds: 20", "seconds: 2");
    let said = repository.breaking(&["--format", "github"]);
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!("github", said.out);
    });
}

#[test]
fn directories_and_images_are_earlier_contracts_too() {
    let repository = Repository::new();
    let earlier = TempDir::new().unwrap();
    let before = earlier.path().join("contracts");
    copy(&repository.contracts(), &before);
    let image = earlier.path().join("before.binpb");
    fs::write(&image, image_of(&before)).unwrap();
    repository.edit(SHOP, "seconds: 20", "seconds: 2");
    for against in [&before, &image] {
        let said = repository.breaking(&["--against", against.to_str().unwrap()]);
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        assert!(said.out.contains("RPC_DEADLINE_SHORTENED"), "{}", said.out);
        assert!(said.out.contains("\n1 break against "), "{}", said.out);
    }
}

/// The contracts as another tool would write them.
fn image_of(contracts: &Path) -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let includes = codegen::carried::includes(&workspace).unwrap();
    codegen::load::load(contracts, &includes).unwrap().image
}

#[test]
fn an_earlier_vocabulary_is_read_by_its_own_text() {
    let repository = Repository::new();
    let method = "treaty/v1/method.proto";
    let newest = fs::read_to_string(repository.contracts().join(method)).unwrap();
    // The vocabulary as it was before a success had a status.
    repository.edit(method, "int32 success_status = 3;", "reserved 3;");
    repository.edit(SHOP, "      success_status: 201\n", "");
    repository.commit("An earlier vocabulary");
    repository.git(&["tag", "v0.0.1"]);
    fs::write(repository.contracts().join(method), newest).unwrap();
    let said = repository.breaking(&[]);
    assert_eq!(
        (said.code, said.out.trim()),
        (0, "nothing breaks against v0.0.1, 0 ignored"),
        "{}",
        said.err
    );
    repository.edit(
        SHOP,
        "      idempotency_key: \"request_id\"\n",
        "      idempotency_key: \"request_id\"\n      success_status: 202\n",
    );
    let said = repository.breaking(&[]);
    assert!(said.out.contains("HTTP_STATUS_CHANGED"), "{}{}", said.out, said.err);
}

#[test]
fn what_is_checked_since_a_release_keeps_nobody_from_comparing_with_it() {
    let repository = Repository::new();
    let undeclared =
        "    option (treaty.v1.method) = {\n      access: [ACCESS_OPERATORS]\n    };\n";
    let now = fs::read_to_string(repository.contracts().join(SHOP)).unwrap();
    repository.edit(SHOP, undeclared, "");
    repository.commit("As if access had not been asked for yet");
    repository.git(&["tag", "v0.0.1"]);
    fs::write(repository.contracts().join(SHOP), now).unwrap();
    repository.edit(SHOP, "seconds: 20", "seconds: 2");
    let said = repository.breaking(&[]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("of v0.0.1: "), "{}", said.out);
    assert!(said.out.contains(": would be refused today, and may be misread\n"), "{}", said.out);
    assert!(said.out.contains("RPC_DEADLINE_SHORTENED"), "{}", said.out);
    assert!(said.out.ends_with("\n1 break against v0.0.1, 0 ignored\n"), "{}", said.out);
}

#[test]
fn what_cannot_be_compared_is_told_and_is_no_success() {
    let repository = Repository::new();
    repository.git(&["tag", "fine"]);
    repository.edit(SHOP, "rpc GetOrder(GetOrderRequest)", "rpc GetOrder(Missing)");
    repository.commit("A mistake");
    repository.git(&["tag", "broken"]);
    repository.git(&["rm", "-r", "--quiet", "contracts"]);
    repository.commit("Nothing");
    repository.git(&["tag", "empty"]);
    repository.git(&["checkout", "--quiet", "fine", "--", "contracts"]);
    let text = repository.path().join("notes.txt");
    fs::write(&text, "no image").unwrap();
    for (against, said) in [
        ("v9", "`v9` is no directory, no image and no commit that git knows in REPO/contracts"),
        ("broken", "the contracts of broken cannot be read: acme/shop/v1/shop.proto:21:16:"),
        ("empty", "empty holds no contracts in REPO/contracts"),
        (text.to_str().unwrap(), "notes.txt is no image: write it with `buf build -o image.binpb`"),
    ] {
        let answer = repository.breaking(&["--against", against]);
        assert_eq!(answer.code, 2, "{against}: {}{}", answer.out, answer.err);
        assert!(answer.err.contains(said), "{against}: {}", answer.err);
    }
    let answer = breaking(&repository.path().join("elsewhere"), &["--against", "fine"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("elsewhere"), "{}", answer.err);
}

#[test]
fn every_rule_is_listed() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["breaking", "--list"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    for rule in codegen::breaking::RULES {
        assert!(text.contains(rule.name), "{}", rule.name);
    }
    assert!(text.contains("FIELD_WIRE_JSON_COMPATIBLE_TYPE"), "{text}");
    assert!(!text.contains("RPC_SAME_IDEMPOTENCY_LEVEL"), "{text}");
}

#[test]
fn the_documentation_has_the_rules() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/breaking.md");
    let page = fs::read_to_string(page).unwrap();
    let mut table = "| Rule | Finds | Who breaks | Safely |\n|---|---|---|---|\n".to_owned();
    for rule in codegen::breaking::RULES {
        table +=
            &format!("| `{}` | {} | {} | {} |\n", rule.name, rule.finds, rule.breaks, rule.safely);
    }
    assert!(page.contains(&(table.clone() + "\n")), "docs/breaking.md should have:\n\n{table}");
}
