//! The pictures in the packages' documentation are drawings of their workflows as they are.

use std::path::{Path, PathBuf};

use weir_editor::canvas::{export, geometry::Geometry};
use weir_engine::package::{Files, Manifest};
use weir_engine::workflow::Workflow;

/// Each workflow of each package, with the picture that belongs to it.
fn pictures() -> Vec<(PathBuf, PathBuf)> {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    let packages = std::fs::read_dir(templates).unwrap().flatten().map(|entry| entry.path());
    let mut found = Vec::new();
    for package in packages.filter(|folder| folder.join("package.json").is_file()) {
        let manifest = Manifest::of(&Files::of_folder(&package).unwrap()).unwrap();
        for path in Files::of_folder(&package).unwrap().0.keys().filter(|path| path.starts_with("workflows/")) {
            let stem = Path::new(path).file_stem().unwrap().to_string_lossy().into_owned();
            let picture = if *path == manifest.main { "picture.svg".to_owned() } else { format!("picture-{stem}.svg") };
            found.push((package.join(path), package.join(picture)));
        }
    }
    found
}

#[test]
fn pictures_of_packages_show_their_workflows() {
    for (file, picture) in pictures() {
        let workflow = Workflow::load(&file).unwrap();
        let drawn = export::svg(&workflow.name, &Geometry::of(&workflow), &workflow);
        // With this variable set the pictures are drawn anew; the packages are signed again after that.
        if std::env::var_os("WEIR_DRAW").is_some() {
            std::fs::write(&picture, &drawn).unwrap();
        }
        let there = std::fs::read_to_string(&picture).unwrap_or_default();
        assert!(
            there == drawn,
            "{} is not {} as it is: draw it with WEIR_DRAW=1 cargo test -p weir-editor pictures",
            picture.display(),
            file.display()
        );
    }
}
