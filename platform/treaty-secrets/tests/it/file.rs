use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use treaty_error::{Code, Error};
use treaty_secrets::{Expected, FileConfig, FileStore, SecretStore, SecretsError};

use crate::support::{VALUE, count_together, keeps_the_promises, path, read, secret};

fn config(directory: &Path) -> FileConfig {
    FileConfig { directory: directory.to_owned(), key_file: None }
}

async fn store(directory: &Path) -> FileStore {
    FileStore::open(&config(directory)).await.unwrap()
}

#[tokio::test]
async fn the_newest_version_is_read_and_another_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory.path().join("deep/down")).await;
    keeps_the_promises(&store, &path("athletes/promises")).await;
    // A secret may have the name of a directory of others.
    store.write(&path("athletes"), &secret("x"), Expected::Absent).await.unwrap();
}

#[tokio::test]
async fn stores_of_one_directory_share_and_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // Each opens the files and the locks for itself, as processes do.
    let mut stores: Vec<Arc<dyn SecretStore>> = Vec::new();
    for _ in 0..4 {
        stores.push(Arc::new(store(directory.path()).await));
    }
    count_together(stores, &path("counted")).await;
}

/// The other process of the test below: this test again, told what to do by its environment.
#[tokio::test]
async fn processes_lock_each_other_out() {
    const VARIABLE: &str = "TREATY_SECRETS_DIRECTORY";
    let at = path("counted");
    if let Some(directory) = std::env::var_os(VARIABLE) {
        let store = store(Path::new(&directory)).await;
        for _ in 0..25 {
            crate::support::add_one(&store, &at).await;
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file::processes_lock_each_other_out"])
            .env(VARIABLE, directory.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    for mut process in [start(), start(), start()] {
        assert!(process.wait().unwrap().success());
    }
    let count = read(&store(directory.path()).await, &at).await;
    assert_eq!(count, Some((75, "75".to_owned())));
}

#[tokio::test]
async fn nothing_on_disk_is_readable_without_the_key_or_by_others() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("secrets");
    let store = store(&inside).await;
    store.write(&path("athletes/one"), &secret(VALUE), Expected::Absent).await.unwrap();
    let mut files = 0;
    let mut todo = vec![inside];
    while let Some(entry) = todo.pop() {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.display());
        if entry.is_dir() {
            todo.extend(entry.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!bytes.windows(VALUE.len()).any(|text| text == VALUE.as_bytes()), "{entry:?}");
    }
    // Key, check, two locks and the secret.
    assert_eq!(files, 5);
}

#[tokio::test]
async fn what_was_tampered_with_is_refused_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let (one, other) = (path("one"), path("other"));
    for at in [&one, &other] {
        store.write(at, &secret(VALUE), Expected::Absent).await.unwrap();
    }
    let file = |name: &str| directory.path().join(format!("{name}.sealed"));
    let good = std::fs::read(file("one")).unwrap();
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("half of it", good[..good.len() / 2].to_vec()),
        ("another's", std::fs::read(file("other")).unwrap()),
        ("plain text", br#"{"name":"x"}"#.to_vec()),
    ] {
        std::fs::write(file("one"), bytes).unwrap();
        let refused = store.read(&one).await.unwrap_err();
        assert!(matches!(refused, SecretsError::Tampered { .. }), "{what}: {refused}");
        assert!(refused.to_string().contains("one"), "{refused}");
        assert_eq!(Error::from(refused).code(), Code::DataLoss);
        for expected in [Expected::Absent, Expected::Version(1)] {
            let written = store.write(&one, &secret("x"), expected).await;
            assert!(matches!(written, Err(SecretsError::Tampered { .. })), "{what}: {written:?}");
        }
    }
    std::fs::write(file("one"), good).unwrap();
    assert_eq!(read(&store, &one).await, Some((1, VALUE.to_owned())));
}

#[tokio::test]
async fn another_key_and_none_are_refused_at_the_start() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    store(directory.path()).await;
    store(elsewhere.path()).await;
    let key = directory.path().join("key");
    std::fs::copy(elsewhere.path().join("key"), &key).unwrap();
    let wrong = FileStore::open(&config(directory.path())).await.err().unwrap();
    assert!(matches!(wrong, SecretsError::WrongKey(_)), "{wrong}");
    std::fs::remove_file(&key).unwrap();
    let missing = FileStore::open(&config(directory.path())).await.err().unwrap();
    assert!(matches!(missing, SecretsError::MissingKey { .. }), "{missing}");
    assert!(!key.exists(), "another key would be no help");
}

#[tokio::test]
async fn what_a_crash_leaves_half_written_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let at = path("one");
    store.write(&at, &secret("kept"), Expected::Absent).await.unwrap();
    // Where a process is killed between the first byte and the new name.
    std::fs::write(directory.path().join("one.sealed.new"), b"treaty\x00\x01half").unwrap();
    assert_eq!(read(&store, &at).await, Some((1, "kept".to_owned())));
    assert_eq!(store.write(&at, &secret("next"), Expected::Version(1)).await.unwrap(), 2);
    assert_eq!(read(&store, &at).await, Some((2, "next".to_owned())));
    assert!(!directory.path().join("one.sealed.new").exists());
}

/// Kills a writing process again and again: what is there is always one of the secrets, whole.
#[tokio::test]
async fn a_killed_writer_leaves_a_whole_secret() {
    const VARIABLE: &str = "TREATY_SECRETS_KILLED_DIRECTORY";
    let at = path("counted");
    if let Some(directory) = std::env::var_os(VARIABLE) {
        let store = store(Path::new(&directory)).await;
        loop {
            crate::support::add_one(&store, &at).await;
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let mut before = 0;
    for _ in 0..10 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file::a_killed_writer_leaves_a_whole_secret"])
            .env(VARIABLE, directory.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        crate::support::eventually("it has written", async || {
            read(&store, &at).await.is_some_and(|(version, _)| version > before + 3)
        })
        .await;
        process.kill().unwrap();
        process.wait().unwrap();
        let (version, value) = read(&store, &at).await.unwrap();
        assert_eq!(version.to_string(), value);
        before = version;
    }
}
