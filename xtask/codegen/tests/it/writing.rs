//! What reaches the disk, and what `--check` says about it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use codegen::File;
use codegen::write::{Changes, check, write};
use tempfile::TempDir;

use crate::support::acme_files;

/// A directory as the generator leaves it.
fn written() -> TempDir {
    let directory = TempDir::new().unwrap();
    let changes = write(directory.path(), acme_files()).unwrap();
    assert_eq!(changes.added.len(), acme_files().len());
    directory
}

/// All files below a directory with their contents.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(current) = pending.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_is_written_is_what_was_generated() {
    let directory = written();
    let wanted = acme_files().iter();
    let wanted: BTreeMap<_, _> =
        wanted.map(|file| (directory.path().join(&file.path), file.contents.clone())).collect();
    assert_eq!(contents(directory.path()), wanted);
    assert_eq!(check(directory.path(), acme_files()).unwrap(), Changes::default());
}

#[test]
fn check_fails_on_a_tampered_file() {
    let directory = written();
    let path = "packages/acme-orders-v1/src/events.rs";
    let mut text = fs::read(directory.path().join(path)).unwrap();
    text.push(b'\n');
    fs::write(directory.path().join(path), text).unwrap();
    let changes = check(directory.path(), acme_files()).unwrap();
    assert_eq!(changes, Changes { changed: vec![path.into()], ..Changes::default() });
    assert!(!changes.is_empty());
}

#[test]
fn check_fails_on_a_missing_and_on_a_stale_file() {
    let directory = written();
    let (missing, stale) = ("ports/shop-port/Cargo.toml", "packages/acme-old-v1/src/lib.rs");
    fs::remove_file(directory.path().join(missing)).unwrap();
    fs::create_dir_all(directory.path().join(stale).parent().unwrap()).unwrap();
    fs::write(directory.path().join(stale), "").unwrap();
    let changes = check(directory.path(), acme_files()).unwrap();
    let expected =
        Changes { added: vec![missing.into()], stale: vec![stale.into()], ..Changes::default() };
    assert_eq!(changes, expected);
    // It has only looked.
    assert!(!directory.path().join(missing).exists());
    assert!(directory.path().join(stale).exists());
}

#[test]
fn writing_again_repairs_and_leaves_the_rest_untouched() {
    let directory = written();
    let path = |file: &File| directory.path().join(&file.path);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    for file in acme_files() {
        fs::File::options().write(true).open(path(file)).unwrap().set_modified(long_ago).unwrap();
    }
    let tampered = &acme_files()[3];
    fs::write(path(tampered), "tampered").unwrap();
    let stale = directory.path().join("packages/acme-old-v1/src/deep/lib.rs");
    fs::create_dir_all(stale.parent().unwrap()).unwrap();
    fs::write(&stale, "").unwrap();
    let empty = directory.path().join("ports/empty/src");
    fs::create_dir_all(&empty).unwrap();

    let changes = write(directory.path(), acme_files()).unwrap();

    assert_eq!(changes.changed, std::slice::from_ref(&tampered.path));
    assert_eq!(changes.stale, ["packages/acme-old-v1/src/deep/lib.rs"]);
    assert!(!directory.path().join("packages/acme-old-v1").exists(), "a stale directory stays");
    assert!(!directory.path().join("ports/empty").exists(), "an empty directory stays");
    for file in acme_files() {
        let modified = fs::metadata(path(file)).unwrap().modified().unwrap();
        assert_eq!(modified == long_ago, file != tampered, "{}", file.path);
    }
    assert!(write(directory.path(), acme_files()).unwrap().is_empty());
}

#[test]
fn a_file_becomes_a_directory_and_the_reverse() {
    let directory = TempDir::new().unwrap();
    let files = |path: &str| [File::new(path, "text")];
    write(directory.path(), &files("a")).unwrap();
    write(directory.path(), &files("a/b")).unwrap();
    assert_eq!(fs::read(directory.path().join("a/b")).unwrap(), b"text");
    write(directory.path(), &files("a")).unwrap();
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"text");
}

#[test]
fn nothing_is_written_outside_of_the_directory() {
    let outside = TempDir::new().unwrap();
    let directory = outside.path().join("gen");
    for path in ["../evil", "a/../../evil", "/evil", "a//b", "", "./a", "a\\..\\b", "c:evil"] {
        let files = [File::new("fine", "text"), File::new(path, "text")];
        let mistake = write(&directory, &files).unwrap_err();
        assert!(mistake.to_string().contains("no path below"), "{path}: {mistake}");
    }
    assert_eq!(contents(outside.path()), BTreeMap::new());
    let twice = [File::new("a", "1"), File::new("a", "2")];
    assert_eq!(write(&directory, &twice).unwrap_err().to_string(), "`a` is generated twice");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_removed_and_its_target_stays() {
    use std::os::unix::fs::symlink;

    let outside = TempDir::new().unwrap();
    let kept = outside.path().join("kept/file");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, "kept").unwrap();
    let directory = outside.path().join("gen");
    fs::create_dir(&directory).unwrap();
    symlink(outside.path().join("kept"), directory.join("link")).unwrap();
    symlink(&kept, directory.join("file")).unwrap();

    write(&directory, &[File::new("file", "new"), File::new("link/file", "new")]).unwrap();

    assert_eq!(fs::read(&kept).unwrap(), b"kept");
    assert_eq!(fs::read(directory.join("file")).unwrap(), b"new");
    assert_eq!(fs::read(directory.join("link/file")).unwrap(), b"new");
}

/// Clients are written by a verb of their own; interpreters leave caches where they run.
#[test]
fn what_belongs_to_others_stays() {
    let directory = written();
    for path in ["clients/go/go.mod", "packages/x/__pycache__/x.pyc", "node_modules/x/x.js"] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let before = contents(directory.path());
    assert_eq!(write(directory.path(), acme_files()).unwrap(), Changes::default());
    assert_eq!(contents(directory.path()), before);
}
