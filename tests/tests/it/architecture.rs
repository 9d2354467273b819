//! The design's invariants, held by reading the sources.

use std::fs;
use std::path::{Path, PathBuf};

use weir_nodes::registry;
use weir_tests::weir::checkout;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn nothing_outside_nodes_decides_by_a_kind() {
    let mut files = vec![];
    sources(&checkout().join("engine/src"), &mut files);
    sources(&checkout().join("editor/src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for kind in registry() {
            let quoted = format!("\"{}\"", kind.identity.id);
            for decision in
                [format!("== {quoted}"), format!("!= {quoted}"), format!("{quoted} =>"), format!("{quoted} |"), format!("find({quoted})")]
            {
                assert!(!text.contains(&decision), "{} decides by the kind {quoted}", file.display());
            }
        }
    }
}

#[test]
fn every_kind_is_one_file_and_one_line() {
    let registry_file = fs::read_to_string(checkout().join("nodes/src/registry.rs")).unwrap();
    assert_eq!(registry_file.matches("Kind::of::<").count(), registry().len());
    let mut files = vec![];
    sources(&checkout().join("nodes/src"), &mut files);
    for kind in registry() {
        let quoted = format!("id: \"{}\"", kind.identity.id);
        let homes = files.iter().filter(|file| fs::read_to_string(file).unwrap().contains(&quoted)).count();
        assert_eq!(homes, 1, "{} has {homes} homes", kind.identity.id);
    }
}

#[test]
fn the_documents_name_files_that_exist() {
    for (document, folder) in [("README.md", ""), ("ARCHITECTURE.md", "")] {
        let text = fs::read_to_string(checkout().join(document)).unwrap();
        for path in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| Path::new(word).extension().is_some_and(|ending| ending == "rs") && !word.contains(' '))
        {
            let known = ["", "nodes/src", "engine/src", "editor/src", "editor/src/canvas"]
                .iter()
                .any(|root| checkout().join(folder).join(root).join(path).exists())
                || checkout().join("engine/src/plan").join(path).exists();
            assert!(known, "{document} names {path}, which is not there");
        }
    }
}
